//! Callers and their roles, as an operator makes and removes them.

use countersign_client::{CheckError, Client};
use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, Gateway, PASSWORD, PATIENCE, World, by_token, email, eventually,
    on_a_backend, on_every_backend, reason, run,
};
use tempfile::TempDir;
use tonic::Code;

on_every_backend!(
    a_caller_may_do_what_its_roles_say,
    a_removed_caller_is_refused
);

const NO: &str = "CALLER_NOT_PERMITTED";

async fn a_caller_may_do_what_its_roles_say(backend: Backend) {
    let world = World::start(backend, 1).await;
    let open = world.gateway();
    let mina = world.sign_up_at(&open).await;
    let shop = new_caller(&world, "shop", &["service"]).await;
    let web = new_caller(&world, "web", &["gateway"]).await;
    let desk = new_caller(&world, "desk", &["operator"]).await;
    closes(&open).await;
    for caller in [&shop, &web, &desk] {
        opens(caller).await;
    }

    let signed_in = web.sign_in(email(&mina.email), PASSWORD).await;
    let tokens = signed_in.expect("a gateway signs people in");
    let by_id = v1::Person {
        by: Some(v1::person::By::UserId(mina.user_id.clone())),
    };
    for (caller, expected) in [(&open, "CALLER_UNKNOWN"), (&shop, "OK")] {
        assert_eq!(
            reason(&caller.validate(&tokens.access_token).await),
            expected
        );
    }
    let claims = shop
        .validate(&tokens.access_token)
        .await
        .expect("an answer");
    assert_eq!(
        claims.expect("good").client_id,
        "web",
        "to whom the tokens were issued"
    );

    for (caller, expected) in [
        (&shop, ["OK", NO, NO, NO]),
        (&web, ["OK", "OK", "OK", NO]),
        (&desk, [NO, NO, NO, "OK"]),
    ] {
        let answers = [
            reason(&caller.validate(&tokens.access_token).await),
            reason(&caller.sign_in(email(&mina.email), PASSWORD).await),
            reason(&list(caller, by_token(&tokens)).await),
            reason(&list(caller, by_id.clone()).await),
        ];
        assert_eq!(
            answers, expected,
            "validating, signing in, a person's sessions, anybody's"
        );
    }

    let unknown = open
        .clone()
        .with_key("csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for stranger in [&open, &unknown] {
        let status = stranger
            .refresh(&tokens.refresh_token)
            .await
            .expect_err("a stranger");
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(Details::of(&status).reason, "CALLER_UNKNOWN");
    }
    let status = shop
        .refresh(&tokens.refresh_token)
        .await
        .expect_err("a service");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(Details::of(&status).metadata["required_role"], "gateway");
}

async fn a_removed_caller_is_refused(backend: Backend) {
    let world = World::start(backend, 1).await;
    let keep = new_caller(&world, "keep", &["service", "gateway"]).await;
    let gone = new_caller(&world, "gone", &["service"]).await;
    closes(&world.gateway()).await;
    opens(&keep).await;
    opens(&gone).await;

    let twice = world
        .replica(0)
        .run(&["caller", "new", "--name", "keep", "--role", "service"])
        .await;
    assert_eq!(
        (twice.code, twice.stdout.as_str()),
        (1, ""),
        "{}",
        twice.stderr
    );
    let listed = world.replica(0).run(&["caller", "list"]).await;
    assert!(listed.stdout.contains("keep") && listed.stdout.contains("gateway,service"));
    assert!(!listed.stdout.contains("csk_"), "keys are shown once");

    let removed = world.replica(0).run(&["caller", "remove", "gone"]).await;
    assert_eq!(removed.code, 0, "{}", removed.stderr);
    closes(&gone).await;
    assert_eq!(reason(&keep.validate("garbage").await), "OK");

    // The last one gone opens nothing.
    let removed = world.replica(0).run(&["caller", "remove", "keep"]).await;
    assert_eq!(removed.code, 0, "{}", removed.stderr);
    closes(&keep).await;
    let stranger = world.gateway();
    for _ in 0..20 {
        for caller in [&keep, &stranger] {
            assert_eq!(reason(&caller.validate("garbage").await), "CALLER_UNKNOWN");
        }
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    }
    for (name, change) in [
        ("gone", "a caller was added"),
        ("gone", "a caller was removed"),
        ("keep", "a caller was removed"),
    ] {
        let log = world.log().text(0);
        let is_logged = |line: &str| line.contains(change) && line.contains(name);
        assert!(log.lines().any(is_logged), "{change}: {name}");
    }
}

#[test]
fn without_callers_only_loopback_is_served() {
    on_a_backend(Backend::Sqlite, async |_| {
        let directory = TempDir::new().expect("a directory");
        let environment = [
            ("COUNTERSIGN__SERVER__LISTEN", "0.0.0.0:0"),
            ("COUNTERSIGN__METRICS__LISTEN", ""),
        ];
        let refused = run(directory.path(), &[], &environment).await;
        assert_eq!(refused.code, 1);
        assert!(
            refused.stderr.contains("no caller is known"),
            "{}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("countersign caller new"),
            "what to do: {}",
            refused.stderr
        );

        let world = World::start(Backend::Sqlite, 1).await;
        let warned = "no caller is known: everybody on this machine may call everything (see \
                      `countersign caller new --help`)";
        world.replica(0).says(0, warned).await;
    });
}

#[test]
fn a_client_is_told_what_is_wrong_with_its_setup() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let endpoint = format!("http://{}", world.replica(0).address());
        let check = async |key: Option<&str>| {
            let builder = Client::builder(&endpoint);
            let builder = match key {
                Some(key) => builder.api_key(key),
                None => builder,
            };
            builder.build().expect("a client").check().await
        };
        assert_eq!(check(None).await, Ok(()), "open to all");

        let shop = world.new_key("shop", &["service"]).await;
        let desk = world.new_key("desk", &["operator"]).await;
        closes(&world.gateway()).await;
        for key in [&shop, &desk] {
            opens(&world.gateway().with_key(key)).await;
        }
        assert_eq!(check(Some(&shop)).await, Ok(()));
        let desk = check(Some(&desk)).await;
        assert!(matches!(desk, Err(CheckError::NotPermitted(_))), "{desk:?}");
        for key in [
            None,
            Some("csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ] {
            let unknown = check(key).await;
            assert!(
                matches!(unknown, Err(CheckError::WrongApiKey(_))),
                "{unknown:?}"
            );
        }
    });
}

/// Makes a caller as an operator does, and calls with its key.
pub(crate) async fn new_caller(world: &World, name: &str, roles: &[&str]) -> Gateway {
    world.gateway().with_key(&world.new_key(name, roles).await)
}

/// Waits until the server knows this caller.
pub(crate) async fn opens(caller: &Gateway) {
    let known =
        || async { (reason(&caller.validate("garbage").await) != "CALLER_UNKNOWN").then_some(()) };
    eventually("the caller is known", PATIENCE, known).await;
}

/// Waits until the server does not know this caller any more.
pub(crate) async fn closes(stranger: &Gateway) {
    let refused = || async {
        (reason(&stranger.validate("garbage").await) == "CALLER_UNKNOWN").then_some(())
    };
    eventually("the caller is refused", PATIENCE, refused).await;
}

async fn list(caller: &Gateway, person: v1::Person) -> Result<(), tonic::Status> {
    let request = v1::ListSessionsRequest {
        person: Some(person),
        ..Default::default()
    };
    caller.sessions().list_sessions(request).await.map(drop)
}
