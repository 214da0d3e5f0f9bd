//! Who calls: nobody, somebody who was a caller once, and one caller of each role, by
//! its key and by its certificate.

use countersign_proto::v1::CallerRole;
use countersign_tests::{
    Authority, Backend, ClientCertificate, Gateway, Issuer, LINK_PREFIX, PATIENCE, TlsServer,
    UNDO_LINK, World, eventually, reason,
};
use tempfile::TempDir;

const STRANGER: &str = "csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const ORIGIN: &str = "https://shop.example.com";
const ROLES: [(&str, CallerRole); 3] = [
    ("service", CallerRole::Service),
    ("gateway", CallerRole::Gateway),
    ("operator", CallerRole::Operator),
];

/// By which Kakao's own messages are known.
pub(crate) const ADMIN_KEY: &str = "kakao-admin-key";

/// A way to call.
pub(crate) struct Caller {
    pub(crate) name: String,
    /// `None`: it is nobody's.
    pub(crate) role: Option<CallerRole>,
    pub(crate) gateway: Gateway,
}

/// All ways to call, and a server that takes them.
pub(crate) struct Callers {
    pub(crate) world: World,
    pub(crate) all: Vec<Caller>,
    /// A gateway beside the one among them.
    pub(crate) other_gateway: Gateway,
    /// Where people have accounts, too.
    pub(crate) issuer: Issuer,
    _files: TempDir,
}

impl Callers {
    pub(crate) async fn make(backend: Backend) -> Self {
        let files = TempDir::new().expect("a directory");
        let authority = Authority::new();
        let tls = TlsServer::in_directory(files.path(), authority.pem());
        let world = World::on(backend)
            .set("verification.link_prefixes", vec![LINK_PREFIX])
            .set("identifiers.undo_link", UNDO_LINK)
            .set("passkeys.rp_id", "example.com")
            .set("passkeys.origins", vec![ORIGIN])
            .set("federation.providers.kakao.client_id", "kakao")
            .set("federation.providers.kakao.admin_key", ADMIN_KEY)
            .set("tokens.leeway", "0s");
        let issuer = Issuer::start().await;
        let settings = tls.settings.iter();
        let world = settings.fold(world, |world, (path, value)| world.set(path, value.clone()));
        let providers = issuer.settings().into_iter();
        let world = providers.fold(world, |world, (path, value)| world.set(&path, value));
        let world = world.start().await;
        let address = world.replica(0).address();
        let connect =
            |shown: Option<&ClientCertificate>| Gateway::securely(address, &tls.trusted, shown);
        let mut all = vec![
            Caller::nobody("no key", connect(None)),
            Caller::nobody("an unknown key", connect(None).with_key(STRANGER)),
        ];
        for (name, role) in ROLES {
            let san = format!("spiffe://example.com/{name}");
            let new = ["caller", "new", "--name", name, "--role", name, "--san"];
            run(&world, &[&new[..], &[&san]].concat()).await;
            let key = run(&world, &["caller", "add-key", name]).await;
            let certificate = authority.sign(&[&san]);
            let ways = [
                ("key", connect(None).with_key(&key)),
                ("certificate", connect(Some(&certificate))),
            ];
            all.extend(ways.map(|(way, gateway)| Caller {
                name: format!("{name} with its {way}"),
                role: Some(role),
                gateway,
            }));
        }
        let removed = removed_key(&world, "gateway").await;
        all.push(Caller::nobody(
            "a removed key",
            connect(None).with_key(&removed),
        ));
        let unknown = authority.sign(&["spiffe://example.com/nobody"]);
        all.push(Caller::nobody(
            "a certificate of nobody",
            connect(Some(&unknown)),
        ));
        let other = world.new_key("other", &["gateway"]).await;
        let callers = Self {
            world,
            all,
            other_gateway: connect(None).with_key(&other),
            issuer,
            _files: files,
        };
        callers.are_known().await;
        callers
    }

    /// The first way to call of a role.
    pub(crate) fn of(&self, role: CallerRole) -> &Gateway {
        let caller = self.all.iter().find(|caller| caller.role == Some(role));
        &caller.expect("there is one of each role").gateway
    }

    /// Waits until the server knows all of them, and nobody else.
    async fn are_known(&self) {
        let is_so = || async {
            for caller in &self.all {
                let answer = reason(&caller.gateway.validate("garbage").await);
                if (answer == "CALLER_UNKNOWN") != caller.role.is_none() {
                    return None;
                }
            }
            let other = reason(&self.other_gateway.validate("garbage").await);
            (other == "OK").then_some(())
        };
        eventually("the callers are known", PATIENCE, is_so).await;
    }
}

impl Caller {
    fn nobody(name: &str, gateway: Gateway) -> Self {
        Self {
            name: name.to_owned(),
            role: None,
            gateway,
        }
    }
}

/// A key that a caller had.
async fn removed_key(world: &World, caller: &str) -> String {
    let before = key_ids(world, caller).await;
    let key = run(world, &["caller", "add-key", caller]).await;
    let mut ids = key_ids(world, caller).await;
    ids.retain(|id| !before.contains(id));
    let [id] = &ids[..] else {
        panic!("one key was added, not {ids:?}");
    };
    run(world, &["caller", "remove-key", caller, id]).await;
    key
}

async fn key_ids(world: &World, caller: &str) -> Vec<String> {
    let listed = run(world, &["caller", "list", "--json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let mut callers = listed.as_array().expect("callers").iter();
    let caller = callers.find(|listed| listed["name"] == caller);
    let keys = caller.expect("it is there")["keys"].as_array();
    let ids = keys.expect("keys").iter();
    ids.map(|key| key["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn run(world: &World, arguments: &[&str]) -> String {
    let finished = world.replica(0).run(arguments).await;
    assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
    finished.stdout.trim().to_owned()
}
