//! To whom links are sent, and to where.

use std::time::Duration;

use countersign_domain::model::{Code, LinkPrefix, Purpose};
use countersign_domain::testing::{LINK_PREFIX, World, phone_code, refusal, send_link};
use countersign_domain::use_cases::{Delivery, GetVerification, SendCode};
use countersign_domain::{Error, Refusal};

use super::{EMAIL, PASSWORD};

#[tokio::test]
async fn a_link_is_not_sent_where_its_prefix_was_taken_out_meanwhile() {
    let mut world = World::new().await;
    let sent = send_link(EMAIL, Purpose::SignUp).execute(&world.app).await;
    let id = sent.expect("queued").record.id;
    world.reconfigure(|settings| settings.verification.link_prefixes.clear());
    assert!(world.take_sent().await.is_empty());
    let shown = GetVerification { id }.execute(&world.app).await;
    assert_eq!(shown.expect("shown").delivery, Delivery::Queued);
    // It waits: another replica may have the setting already.
    world.reconfigure(|settings| {
        let prefix = LinkPrefix::parse(LINK_PREFIX).expect("a prefix");
        settings.verification.link_prefixes = vec![prefix];
    });
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.take_sent().await.len(), 1);
}

#[tokio::test]
async fn a_link_to_sign_in_is_sent_to_users_only_and_nobody_can_tell() {
    let world = World::new().await;
    world.user(EMAIL, PASSWORD).await;
    for (email, messages) in [("nobody@example.com", 0), (EMAIL, 1)] {
        for purpose in [Purpose::SignIn, Purpose::PasswordReset] {
            world.ephemeral.take_calls();
            let sent = send_link(email, purpose).execute(&world.app).await;
            let id = sent.expect("looks sent").record.id;
            assert_eq!(world.ephemeral.take_calls(), 2, "{email} {purpose:?}");
            let shown = GetVerification { id }.execute(&world.app).await;
            assert_eq!(shown.expect("shown").delivery, Delivery::Withheld);
            assert_eq!(world.take_sent().await.len(), messages, "{email}");
            let shown = GetVerification { id }.execute(&world.app).await;
            assert_eq!(shown.expect("shown").delivery, Delivery::Withheld);
            world.clock.advance(Duration::from_secs(60));
        }
    }
}

#[tokio::test]
async fn a_code_of_ones_own_and_a_link_at_once_are_refused() {
    let world = World::new().await;
    let both = SendCode {
        code: Some(Code::parse("123456".into()).expect("a code")),
        ..send_link(EMAIL, Purpose::SignUp)
    };
    let refused = both.execute(&world.app).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "link_prefix"),
        "{refused:?}"
    );
    // Nothing was charged: the next one may be sent at once.
    let sent = send_link(EMAIL, Purpose::SignUp).execute(&world.app).await;
    sent.expect("sent");
}

/// Whether or not there is anybody to write to, and at nobody's cost.
#[tokio::test]
async fn a_link_that_no_provider_can_deliver_is_refused() {
    let world = World::new().await;
    world.sender.shorten();
    let link_to = |number: &str, purpose| SendCode {
        address: phone_code(number, purpose, "192.0.2.1").address,
        ..send_link(EMAIL, purpose)
    };
    world.ephemeral.take_calls();
    for purpose in [Purpose::SignUp, Purpose::SignIn, Purpose::PasswordReset] {
        let refused = link_to("+821012345678", purpose).execute(&world.app).await;
        assert!(
            matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "link_prefix"),
            "{refused:?}"
        );
    }
    assert_eq!(world.ephemeral.take_calls(), 0, "nothing was charged");
    let code = phone_code("+821012345678", Purpose::SignUp, "192.0.2.1");
    code.execute(&world.app).await.expect("a code is short");
    let mail = send_link(EMAIL, Purpose::SignUp).execute(&world.app).await;
    mail.expect("a mail may be long");
}

#[tokio::test]
async fn without_a_sender_there_is_no_link() {
    let world = World::without_sender().await;
    let sent = send_link(EMAIL, Purpose::SignUp).execute(&world.app).await;
    assert_eq!(refusal(sent), Refusal::SenderMissing);
}
