//! Requests about links that are refused, each with the field that is wrong.

use countersign_proto::v1;
use countersign_proto::v1::check_code_request::Verification;
use countersign_tests::{
    Backend, Details, LINK_PREFIX, World, email, on_a_backend, phone, token_of,
};
use tonic::Code;

use super::{token, world};

#[test]
fn a_prefix_that_is_not_configured_is_refused_with_the_name_of_the_setting() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let other = "https://shop.example/other";
        let worlds = [
            World::on(backend).start().await,
            World::on(backend)
                .set("verification.link_prefixes", vec![LINK_PREFIX, other])
                .start()
                .await,
        ];
        for (world, prefix, code, is_good) in [
            (&worlds[0], LINK_PREFIX, "", false),
            (&worlds[0], "", "", true),
            (&worlds[1], LINK_PREFIX, "", true),
            (&worlds[1], other, "", true),
            (&worlds[1], LINK_PREFIX, "135790", false),
            (&worlds[1], "https://shop.example/confirm", "", false),
            (
                &worlds[1],
                "https://shop.example/confirm?lang=ko&",
                "",
                false,
            ),
            (
                &worlds[1],
                "https://shop.example/confirm?lang=ko#",
                "",
                false,
            ),
            (
                &worlds[1],
                "HTTPS://shop.example/confirm?lang=ko",
                "",
                false,
            ),
            (
                &worlds[1],
                "https://Shop.example/confirm?lang=ko",
                "",
                false,
            ),
            (
                &worlds[1],
                "https://a@shop.example/confirm?lang=ko",
                "",
                false,
            ),
            (&worlds[1], "https://shop.example/%6fther", "", false),
            (&worlds[1], "https://attacker.example/confirm", "", false),
            (&worlds[1], "javascript:alert(1)", "", false),
            (&worlds[1], &"x".repeat(60_000), "", false),
        ] {
            let gateway = world.gateway();
            let send = v1::SendCodeRequest {
                identifier: Some(email(&world.new_email())),
                purpose: v1::Purpose::SignUp.into(),
                code: code.into(),
                link_prefix: prefix.into(),
                ..Default::default()
            };
            let reset = v1::StartPasswordResetRequest {
                identifier: Some(email(&world.new_email())),
                code: code.into(),
                link_prefix: prefix.into(),
                ..Default::default()
            };
            let sent = gateway.ask_for_code(send).await;
            let started = gateway.ask_for_reset(reset).await;
            for outcome in [sent, started] {
                assert_eq!(outcome.is_ok(), is_good, "{prefix} {code}: {outcome:?}");
                let Err(status) = outcome else { continue };
                assert_eq!(status.code(), Code::InvalidArgument);
                assert_eq!(Details::of(&status).fields, ["link_prefix"], "{status:?}");
                let says_why = ["verification.link_prefixes", "https:// URL", "a code"];
                let text = String::from_utf8_lossy(status.details());
                assert!(says_why.iter().any(|why| text.contains(why)), "{text}");
            }
        }
    });
}

#[test]
fn nonsense_of_any_length_is_no_token() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend).start().await;
        let gateway = world.gateway();
        let good = token(&world, &gateway, &world.new_email(), v1::Purpose::SignUp).await;
        let mut nonsense: Vec<String> = (0..=130)
            .filter(|length| *length != good.len())
            .flat_map(|length| ["A", "-", "\u{ac00}", "\0"].map(|letter| letter.repeat(length)))
            .collect();
        for length in [1_000, 60_000] {
            nonsense.push("A".repeat(length));
        }
        nonsense.push(format!("{LINK_PREFIX}#{good}"));
        nonsense.push(format!("#{good}"));
        nonsense.push(format!("{}=", &good[..42]));
        nonsense.push(format!("{}+", &good[..42]));
        nonsense.push(" ".repeat(43));
        nonsense.push(good.replace(&good[..1], "%"));
        for text in &nonsense {
            let checked = gateway.check_link(text).await.map(drop);
            let shown = gateway.verification_of_link(text).await.map(drop);
            for (outcome, field) in [(checked, "link_token"), (shown, "link_token")] {
                let status = outcome.expect_err("no token");
                assert_eq!(status.code(), Code::InvalidArgument, "{text}");
                // Without a token, GetVerification misses an id.
                let field = match text.is_empty() && !status.message().contains(field) {
                    true => "verification_id",
                    false => field,
                };
                assert_eq!(Details::of(&status).fields, [field], "{text}");
            }
        }
        countersign_tests::say!("links: {} texts that are no token: taken 0", nonsense.len());
        gateway.check_link(&good).await.expect("it was not spent");
    });
}

#[test]
fn a_token_and_something_else_at_once_are_refused() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend).start().await;
        let gateway = world.gateway();
        let address = world.new_email();
        let sent = gateway.send_link(email(&address), v1::Purpose::SignUp);
        let id = sent.await.expect("a link");
        let link = world.read_link(&address).await;
        let token = token_of(&link);
        let with_code = v1::CheckCodeRequest {
            verification: Some(Verification::LinkToken(token.into())),
            code: "135790".into(),
        };
        let refused = gateway.verifications().check_code(with_code).await;
        let status = refused.expect_err("it is one or the other");
        assert_eq!(Details::of(&status).fields, ["code"]);
        let with_id = v1::GetVerificationRequest {
            verification_id: id,
            link_token: token.into(),
        };
        let refused = gateway.verifications().get_verification(with_id).await;
        let status = refused.expect_err("it is one or the other");
        assert_eq!(Details::of(&status).fields, ["verification_id"]);
        gateway.check_link(token).await.expect("it was not spent");
    });
}

/// A long message is there in Korea alone: a link abroad would never arrive. It is
/// said at once, to whoever asks and for whatever number, and costs nothing.
#[test]
fn a_link_that_no_provider_can_deliver_is_refused_with_its_field() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend)
            .set("delivery.sms", vec!["sens"])
            .set("delivery.email", vec!["log"])
            // Nobody listens there.
            .set("sens.base_url", "https://127.0.0.1:9")
            .set("sens.service_id", "ncp:sms:kr:000000000000:test")
            .set("sens.access_key", "access")
            .set("sens.secret_key", "secret")
            .set("sens.from", "0215881588")
            .start()
            .await;
        let gateway = world.gateway();
        for (number, purpose) in [
            ("+821012345678", v1::Purpose::SignUp),
            ("+821023456789", v1::Purpose::SignIn),
        ] {
            let abroad = phone("+12025550123");
            for _ in 0..2 {
                let refused = gateway.send_link(abroad.clone(), purpose).await;
                let refused = Details::of(&refused.expect_err("it would not arrive"));
                assert_eq!(refused.fields, ["link_prefix"]);
            }
            let at_home = gateway.send_link(phone(number), purpose).await;
            at_home.expect("there are long messages at home");
        }
        let code = v1::SendCodeRequest {
            identifier: Some(phone("+12025550123")),
            purpose: v1::Purpose::SignUp.into(),
            ..Default::default()
        };
        let sent = gateway.ask_for_code(code).await;
        sent.expect("a code is short, and nothing was charged");
    });
}
