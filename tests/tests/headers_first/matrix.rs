//! Who may call what: every way of proving oneself, or of failing to, against
//! every RPC of the contract. What is refused is refused by its headers.

use std::time::Duration;

use countersign_proto::{RPCS, v1};
use countersign_tests::{
    Authority, Backend, ClientCertificate, Http2, Tally, TlsServer, World, eventually,
    on_a_backend, say,
};
use prost::bytes::Bytes;
use tempfile::TempDir;
use tonic::Code;
use tonic::codegen::http::Request;
use tonic::codegen::http::header::AUTHORIZATION;

use crate::begun::{AT_ONCE, call, parts, refusal, status_of};

const ROLES: [&str; 3] = ["service", "gateway", "operator"];
const STRANGER: &str = "csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// A message without a field.
const EMPTY: Bytes = Bytes::from_static(&[0; 5]);

/// A way to call.
struct Case {
    what: String,
    certificate: Option<ClientCertificate>,
    authorization: Vec<String>,
    /// Whose call it is; `None`: nobody's.
    role: Option<&'static str>,
}

impl Case {
    fn new(what: &str, role: Option<&'static str>) -> Self {
        Self {
            what: what.to_owned(),
            certificate: None,
            authorization: Vec::new(),
            role,
        }
    }

    fn keys(mut self, keys: &[&str]) -> Self {
        self.authorization = keys.iter().map(|key| format!("Bearer {key}")).collect();
        self
    }

    fn shows(mut self, certificate: ClientCertificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    fn request(&self, path: &str) -> Request<()> {
        let headers = self.authorization.iter();
        let request = headers.fold(parts(path), |request, value| {
            request.header(AUTHORIZATION, value)
        });
        request.body(()).expect("a request")
    }

    fn may_call(&self, roles: &[v1::CallerRole]) -> bool {
        let name = self
            .role
            .map(|role| format!("CALLER_ROLE_{}", role.to_uppercase()));
        roles
            .iter()
            .any(|role| Some(role.as_str_name()) == name.as_deref())
    }
}

/// A caller of each role with two keys and a certificate, and those that were
/// callers once.
struct Callers {
    world: World,
    authority: Authority,
    trusted: String,
    /// By role: two keys, of which either is good.
    keys: Vec<[String; 2]>,
    removed_key: String,
    removed_caller: String,
    expired: String,
    _files: TempDir,
}

impl Callers {
    async fn make() -> Self {
        let files = TempDir::new().expect("a directory");
        let authority = Authority::new();
        let tls = TlsServer::in_directory(files.path(), authority.pem());
        let world = tls
            .settings
            .iter()
            .fold(World::on(Backend::Sqlite), |world, (path, value)| {
                world.set(path, value.clone())
            })
            .start()
            .await;
        let run = async |arguments: &[&str]| {
            let finished = world.replica(0).run(arguments).await;
            assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
            finished.stdout.trim().to_owned()
        };
        let new = [
            "caller", "new", "--role", "gateway", "--role", "service", "--name",
        ];
        let expired = run(&[&new[..], &["expired", "--expires-in", "1s"]].concat()).await;
        let removed_caller = run(&[&new[..], &["removed"]].concat()).await;
        run(&["caller", "remove", "removed"]).await;
        let mut keys = Vec::new();
        for role in ROLES {
            let new = ["caller", "new", "--name", role, "--role", role];
            let first = run(&new).await;
            keys.push([first, run(&["caller", "add-key", role]).await]);
            let by_certificate = format!("{role}-by-certificate");
            let (san, of_it) = (san(role), ["--role", role, "--san"]);
            let of_it = [
                &["caller", "new", "--name", &by_certificate],
                &of_it[..],
                &[&san],
            ];
            run(&of_it.concat()).await;
        }
        let beside = run(&["caller", "add-key", "gateway-by-certificate"]).await;
        let removed_key = run(&["caller", "add-key", "operator-by-certificate"]).await;
        let listed = run(&["caller", "list", "--json"]).await;
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let last = listed.as_array().expect("callers").iter();
        let mut last = last.filter(|caller| caller["name"] == "operator-by-certificate");
        let id = last.next().expect("it is there")["keys"][0]["id"].as_str();
        let remove = ["caller", "remove-key", "operator-by-certificate"];
        run(&[&remove[..], &[id.expect("an id")]].concat()).await;
        keys.push([beside.clone(), beside]);
        let callers = Self {
            world,
            authority,
            trusted: tls.trusted,
            keys,
            removed_key,
            removed_caller,
            expired,
            _files: files,
        };
        callers.are_known().await;
        callers
    }

    async fn connect(&self, shown: Option<&ClientCertificate>) -> Http2 {
        let address = self.world.replica(0).address();
        Http2::connect_securely(address, &self.trusted, shown).await
    }

    /// Waits until the server knows the last one that was made, and that the
    /// brief key has expired.
    async fn are_known(&self) {
        let line = self.connect(None).await;
        let [last, _] = self.keys.last().expect("callers");
        let is_so = || async {
            let validate = "/countersign.v1.AuthService/ValidateToken";
            let mut known = line.begin(call(validate, &[last])).await;
            known.body.send_data(EMPTY, true).ok();
            let known = status_of(known).await.code() != Code::Unauthenticated;
            let mut brief = line.begin(call(validate, &[&self.expired])).await;
            brief.body.send_data(EMPTY, true).ok();
            let expired = status_of(brief).await.code() == Code::Unauthenticated;
            (known && expired).then_some(())
        };
        eventually("the callers are known", Duration::from_secs(30), is_so).await;
    }

    fn permitted(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (role, keys) in ROLES.into_iter().zip(&self.keys) {
            let case = |what: &str| Case::new(&format!("{role}, {what}"), Some(role));
            cases.push(case("first key").keys(&[&keys[0]]));
            cases.push(case("second key").keys(&[&keys[1]]));
            cases.push(case("certificate").shows(self.authority.sign(&[&san(role)])));
        }
        let [beside, _] = &self.keys[ROLES.len()];
        let both = Case::new("gateway, certificate and its key", Some("gateway"));
        let shown = self.authority.sign(&["of.nobody", &san("gateway")]);
        cases.push(both.shows(shown).keys(&[beside]));
        cases
    }

    fn refused(&self) -> Vec<Case> {
        let [service, gateway] = [&self.keys[0], &self.keys[1]];
        let sign = |names: &[&str]| self.authority.sign(names);
        let case = |what: &str| Case::new(what, None);
        let [of_service, of_gateway] = [san("service"), san("gateway")];
        let mut basic = case("another scheme");
        basic.authorization = vec![format!("Basic {}", gateway[0])];
        let mut bare = case("a key without its scheme");
        bare.authorization = vec![gateway[0].clone()];
        vec![
            case("no key"),
            case("an unknown key").keys(&[STRANGER]),
            case("a removed key").keys(&[&self.removed_key]),
            case("the key of a removed caller").keys(&[&self.removed_caller]),
            case("an expired key").keys(&[&self.expired]),
            case("a key twice").keys(&[&gateway[0], &gateway[0]]),
            case("two keys of one caller").keys(&[&gateway[0], &gateway[1]]),
            case("keys of two callers").keys(&[&service[0], &gateway[0]]),
            case("a key and an unknown one").keys(&[&gateway[0], STRANGER]),
            basic,
            bare,
            case("a certificate without names").shows(sign(&[])),
            case("a certificate of nobody").shows(sign(&["of.nobody"])),
            case("a certificate of two").shows(sign(&[&of_service, &of_gateway])),
            case("a certificate of nobody and a key")
                .shows(sign(&["of.nobody"]))
                .keys(&[&gateway[0]]),
            case("a certificate and the key of another")
                .shows(sign(&[&of_gateway]))
                .keys(&[&gateway[0]]),
            case("a certificate and an unknown key")
                .shows(sign(&[&of_gateway]))
                .keys(&[STRANGER]),
            case("a certificate and an expired key")
                .shows(sign(&[&of_gateway]))
                .keys(&[&self.expired]),
        ]
    }
}

#[test]
fn each_way_to_call_is_good_for_what_its_caller_may_and_for_nothing_else() {
    on_a_backend(Backend::Sqlite, async |_| {
        let callers = Callers::make().await;
        let (mut permitted, mut refused, mut unexpected) = (0, 0, Tally::default());
        let cases = callers.permitted().into_iter().chain(callers.refused());
        for case in cases {
            let line = callers.connect(case.certificate.as_ref()).await;
            for rpc in RPCS {
                let what = format!("{}: {}", case.what, rpc.path);
                let mut begun = line.begin(case.request(rpc.path)).await;
                if case.may_call(rpc.roles) {
                    begun.body.send_data(EMPTY, true).ok();
                    if is_let_in(begun).await {
                        permitted += 1;
                    } else {
                        unexpected.add(&format!("{what}: refused"));
                    }
                    continue;
                }
                // No body comes, and none is waited for.
                let expected = match case.role {
                    None => (Code::Unauthenticated, "CALLER_UNKNOWN".to_owned()),
                    Some(_) => (Code::PermissionDenied, "CALLER_NOT_PERMITTED".to_owned()),
                };
                let found = refusal(begun).await;
                if found == expected {
                    refused += 1;
                } else {
                    unexpected.add(&format!("{what}: {found:?}"));
                }
            }
        }
        let stranger = Authority::new().sign(&[&san("gateway")]);
        let line = callers.connect(Some(&stranger)).await;
        assert!(
            line.ends(AT_ONCE * 5).await,
            "another authority's certificate"
        );
        say!(
            "callers by role, RPC and what they show: permitted {permitted}, refused {refused}, \
             unexpected {}; connections with another authority's certificate: 1 of 1 refused",
            unexpected.total()
        );
        unexpected.assert_only(&[]);
        let cases = callers.permitted().len() + callers.refused().len();
        assert_eq!(permitted + refused, cases * RPCS.len());
        assert!(permitted > 0);
    });
}

/// Whether the call came to its RPC, whatever that said to an empty message.
async fn is_let_in(begun: countersign_tests::Unfinished) -> bool {
    let status = status_of(begun).await;
    let reason = countersign_tests::Details::of(&status).reason;
    !reason.starts_with("CALLER_")
}

fn san(role: &str) -> String {
    format!("spiffe://example.com/{role}")
}
