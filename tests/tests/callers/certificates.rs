//! Callers that prove themselves by a client certificate.

use countersign_client::{CheckError, Client};
use countersign_tests::{
    Authority, Backend, ClientCertificate, Gateway, PASSWORD, PATIENCE, TlsServer, World,
    WorldBuilder, client_certificate_of_openssl, email, eventually, on_a_backend, on_every_backend,
    reason,
};
use tempfile::TempDir;

use crate::roles::closes;

on_every_backend!(a_certificate_is_its_callers_and_nobody_elses);

const SHOP: &str = "spiffe://example.com/ns/default/sa/Shop";

/// A server with TLS and its clients.
struct Secure {
    world: World,
    authority: Authority,
    trusted: String,
    _files: TempDir,
}

impl Secure {
    async fn start(backend: Backend) -> Self {
        let (files, authority) = (new_directory(), Authority::new());
        let (world, trusted) = start(backend, &files, authority.pem()).await;
        Self {
            world,
            authority,
            trusted,
            _files: files,
        }
    }

    fn shows(&self, shown: Option<&ClientCertificate>) -> Gateway {
        Gateway::securely(self.world.replica(0).address(), &self.trusted, shown)
    }

    fn named(&self, names: &[&str]) -> Gateway {
        self.shows(Some(&self.authority.sign(names)))
    }

    async fn run(&self, arguments: &[&str]) -> String {
        let finished = self.world.replica(0).run(arguments).await;
        assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
        finished.stdout.trim().to_owned()
    }

    /// Waits until the log of refused calls has these words.
    async fn refuses_because(&self, words: &str) {
        let is_logged = || async { self.world.log().text(0).contains(words).then_some(()) };
        eventually(words, PATIENCE, is_logged).await;
    }
}

fn new_directory() -> TempDir {
    TempDir::new().expect("a directory")
}

/// A server that believes the authority, and what its clients trust it by.
async fn start(backend: Backend, files: &TempDir, client_ca: &str) -> (World, String) {
    let tls = TlsServer::in_directory(files.path(), client_ca);
    let world = World::on(backend);
    let set = |world: WorldBuilder, (path, value): &(&str, String)| world.set(path, value.clone());
    let world = tls.settings.iter().fold(world, set);
    (world.start().await, tls.trusted)
}

#[test]
fn a_certificate_of_openssl_is_its_callers() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let files = new_directory();
        let made = client_certificate_of_openssl(files.path(), &format!("URI:{SHOP}"));
        let Some((authority, shown)) = made else {
            return;
        };
        let (world, trusted) = start(backend, &files, &authority).await;
        let new = [
            "caller", "new", "--name", "shop", "--role", "service", "--san", SHOP,
        ];
        assert_eq!(world.replica(0).run(&new).await.code, 0);
        let address = world.replica(0).address();
        closes(&Gateway::securely(address, &trusted, None)).await;
        let shop = Gateway::securely(address, &trusted, Some(&shown));
        assert_eq!(answer(&shop).await, "OK");
    });
}

async fn a_certificate_is_its_callers_and_nobody_elses(backend: Backend) {
    let secure = Secure::start(backend).await;
    let mina = secure.world.sign_up_at(&secure.shows(None)).await;
    let new = [
        "caller", "new", "--role", "gateway", "--role", "service", "--name",
    ];
    let by_certificate = [&new[..], &["shop", "--san", SHOP, "--san", "Shop.X"]].concat();
    let made = secure.run(&by_certificate).await;
    assert_eq!(made, "added shop", "there is no key to print");
    let key = secure.run(&[&new[..], &["other"]].concat()).await;
    let other = secure.shows(None).with_key(&key);
    let shop = secure.named(&[SHOP]);
    closes(&secure.shows(None)).await;
    for caller in [&other, &shop] {
        let is_known = || async { (answer(caller).await == "OK").then_some(()) };
        eventually("the caller is known", PATIENCE, is_known).await;
    }
    let signed_in = shop.sign_in(email(&mina.email), PASSWORD).await;
    let tokens = signed_in.expect("a gateway signs people in");
    let claims = shop.validate(&tokens.access_token).await;
    let claims = claims.expect("an answer").expect("good");
    assert_eq!(claims.client_id, "shop", "to whom the tokens were issued");
    // Renewed, and by another of its names.
    let renewed = secure.named(&["unknown.x", "shop.x"]);
    let refreshed = renewed.refresh(&tokens.refresh_token).await;
    assert_eq!(reason(&refreshed), "OK");
    let by_another = other
        .refresh(&refreshed.expect("tokens").refresh_token)
        .await;
    assert_ne!(reason(&by_another), "OK", "the session is the caller's");

    for (caller, why) in [
        (
            secure.named(&["spiffe://example.com/ns/default/sa/shop"]),
            "to no caller",
        ),
        (
            secure.named(&["x"]).with_key(&key),
            "to no caller: [\\\"x\\\"]",
        ),
        (secure.named(&[]), "it has no names"),
        (
            shop.clone().with_key(&key),
            "that of shop, the key that of other",
        ),
    ] {
        assert_eq!(answer(&caller).await, "CALLER_UNKNOWN", "{why}");
        secure.refuses_because(why).await;
    }
    let stranger = secure.shows(Some(&Authority::new().sign(&[SHOP])));
    let refused = stranger
        .validate("garbage")
        .await
        .expect_err("no handshake");
    assert_ne!(
        reason::<()>(&Err(refused)),
        "CALLER_UNKNOWN",
        "it gets no answer"
    );

    // A key beside the certificate, and the certificate without it again.
    let beside = secure.run(&["caller", "add-key", "shop"]).await;
    let both = shop.clone().with_key(&beside);
    let is_known = || async { (answer(&both).await == "OK").then_some(()) };
    eventually("the key is known", PATIENCE, is_known).await;
    assert_eq!(answer(&shop).await, "OK");
    let listed = secure.run(&["caller", "list", "--json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[1]["sans"], serde_json::json!(["shop.x", SHOP]));
    let id = listed[1]["keys"][0]["id"].as_str().expect("an id");
    secure.run(&["caller", "remove-key", "shop", id]).await;
    let usurper = [&new[..], &["usurper", "--san", "SHOP.x"]].concat();
    let usurper = secure.world.replica(0).run(&usurper).await;
    assert_eq!(usurper.code, 1);
    assert!(
        usurper.stderr.contains("as shop.x is"),
        "{}",
        usurper.stderr
    );

    check_with_the_client(&secure).await;
    secure.run(&["caller", "remove", "shop"]).await;
    let is_gone = || async { (answer(&shop).await == "CALLER_UNKNOWN").then_some(()) };
    eventually("the caller is gone", PATIENCE, is_gone).await;
}

#[test]
fn a_caller_goes_over_to_a_certificate_and_from_one_to_the_next() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let secure = Secure::start(backend).await;
        let new = ["caller", "new", "--role", "service", "--name"];
        let key = secure.run(&[&new[..], &["shop"]].concat()).await;
        let other = [&new[..], &["other", "--san", "other.x"]].concat();
        secure.run(&other).await;
        let by_key = secure.shows(None).with_key(&key);
        let (first, second) = (secure.named(&[SHOP]), secure.named(&["shop.x"]));
        let becomes = async |caller: &Gateway, answered: &str| {
            let is_so = || async { (answer(caller).await == answered).then_some(()) };
            eventually(answered, PATIENCE, is_so).await;
        };
        becomes(&by_key, "OK").await;
        becomes(&first, "CALLER_UNKNOWN").await;
        let added = secure.run(&["caller", "add-san", "shop", SHOP]).await;
        assert_eq!(added, format!("added {SHOP} to shop"));
        becomes(&first, "OK").await;
        let listed = secure.run(&["caller", "list", "--json"]).await;
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        assert_eq!(listed[1]["sans"], serde_json::json!([SHOP]));
        let id = listed[1]["keys"][0]["id"].as_str().expect("an id");
        secure.run(&["caller", "remove-key", "shop", id]).await;
        becomes(&by_key, "CALLER_UNKNOWN").await;

        for (arguments, told) in [
            (["remove-san", "shop", SHOP], "alone; add another name"),
            (["remove-san", "shop", "Shop.x"], "no such name; it has"),
            (["add-san", "shop", SHOP], "has the name"),
            (
                ["add-san", "shop", "Other.x"],
                "countersign caller remove-san other other.x",
            ),
            (["add-san", "nobody", "shop.x"], "there is no caller nobody"),
        ] {
            let refused = [&["caller"], &arguments[..]].concat();
            let refused = secure.world.replica(0).run(&refused).await;
            assert_eq!(refused.code, 1, "{arguments:?}");
            assert!(refused.stderr.contains(told), "{}", refused.stderr);
        }
        secure.run(&["caller", "add-san", "shop", "Shop.X"]).await;
        becomes(&second, "OK").await;
        secure.run(&["caller", "remove-san", "shop", SHOP]).await;
        becomes(&first, "CALLER_UNKNOWN").await;
        assert_eq!(answer(&second).await, "OK");
        let log = secure.world.log().text(0);
        assert!(log.contains("a name in certificates was removed from a caller"));
    });
}

async fn check_with_the_client(secure: &Secure) {
    let endpoint = format!(
        "https://localhost:{}",
        secure.world.replica(0).address().port()
    );
    for (names, is_known) in [(&[SHOP][..], true), (&["stranger.x"], false)] {
        let shown = secure.authority.sign(names);
        let client = Client::builder(&endpoint)
            .ca_certificate(secure.trusted.as_str())
            .client_certificate(&shown.certificate, &shown.private_key)
            .build();
        match client.expect("a client").check().await {
            Ok(()) => assert!(is_known),
            Err(CheckError::WrongApiKey(_)) => assert!(!is_known),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn answer(caller: &Gateway) -> String {
    reason(&caller.validate("garbage").await)
}
