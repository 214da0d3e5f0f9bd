//! No request brings its own identity: whatever it says of who is asking, the
//! application gets what the token says, or nothing.

use countersign_tests::{Backend, IDENTITY_HEADERS, ProxiedRequest, World, on_a_backend, say};

use crate::decide;

/// Spellings of a header's name that an application may take for it.
fn look_alikes(name: &str) -> Vec<String> {
    let mut looks: Vec<_> = ['_', '.', '~', '!', '+', '\'']
        .into_iter()
        .map(|separator| name.replace('-', &separator.to_string()))
        .collect();
    looks.push(name.replacen('-', "_", 1));
    looks.push(name.to_uppercase());
    looks.push(name.replacen("auth", "Auth", 1));
    looks.push(name.replace('-', "_").to_uppercase());
    looks
}

#[test]
fn each_header_is_set_or_removed_in_every_answer_that_passes() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let with_token = ProxiedRequest::with_token(&tokens.access_token);
        let cookie = format!("__Host-access={}", tokens.access_token);
        let by_cookie = ProxiedRequest::new().header("cookie", &cookie);
        let nobody = ProxiedRequest::new().extension("anonymous", "allow");
        let mut asked = 0;
        for request in [with_token, by_cookie, nobody] {
            let honest = decide(&gateway, &request).await;
            assert!(honest.passes, "{request:?}");
            assert_eq!(honest.closed(), IDENTITY_HEADERS);
            for name in IDENTITY_HEADERS {
                let value = match honest.set.get(name) {
                    Some(value) => format!("{value},root"),
                    None => "root".into(),
                };
                let spoofed = [
                    request.clone().header(name, &value),
                    request.clone().header(name, "root").header(name, "root"),
                    request.clone().header(name, ""),
                ];
                for spoofed in spoofed.iter().flat_map(|it| [it.clone(), it.clone().raw()]) {
                    assert_eq!(decide(&gateway, &spoofed).await, honest, "{spoofed:?}");
                    asked += 1;
                }
                for look in look_alikes(name) {
                    let spoofed = request.clone().header(&look, "root");
                    for spoofed in [spoofed.clone(), spoofed.raw()] {
                        let decision = decide(&gateway, &spoofed).await;
                        assert_eq!(decision.set, honest.set, "{spoofed:?}");
                        assert!(decision.removed.contains(&look), "{look}");
                        asked += 1;
                    }
                }
            }
            // Others are the application's own.
            for name in ["x-auth-token", "x_auth", "x-user", "x-authxuser-"] {
                let decision = decide(&gateway, &request.clone().header(name, "1")).await;
                assert_eq!(decision, honest, "{name}");
            }
        }
        say!("ext_authz: {asked} spoofed headers, 0 reach the application");
    });
}

#[test]
fn very_many_look_alikes_let_none_pass() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        let nobody = ProxiedRequest::new().extension("anonymous", "allow");
        let mut request = nobody.raw();
        for _ in 0..64 {
            request = request.header("x_auth_user", "root");
        }
        let decision = decide(&gateway, &request).await;
        assert_eq!(decision.removed.len(), 6 + 64);
        let request = request.header("x.auth.user", "root");
        let refused = gateway.check(&request).await;
        assert_eq!(countersign_tests::reason(&refused), "MESSAGE_UNREADABLE");
    });
}
