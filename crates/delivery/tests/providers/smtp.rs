//! SMTP: what a mail looks like, how the connection is secured, and what is made
//! of each way in which a conversation can end.

use countersign_delivery::{Authorities, Smtp, SmtpAddress, SmtpSettings};
use countersign_domain::model::Locale;
use countersign_domain::ports::{MessageSender as _, SendError};

use crate::common::{Certified, authorities, clock, code, email, id, notice, router};
use crate::smtp_server::{Fault, SmtpServer};

fn smtp_at(url: &str, login: Option<(&str, &str)>, authorities: &Authorities) -> Box<Smtp> {
    let settings = SmtpSettings {
        server: SmtpAddress::parse(url).expect("an address"),
        login: login.map(|(user, password)| (user.into(), password.into())),
        from: "Shop <no-reply@shop.example>".into(),
    };
    Box::new(Smtp::new(settings, authorities, clock()).expect("good"))
}

pub(crate) fn smtp(server: &SmtpServer) -> Box<Smtp> {
    let url = format!("smtp://127.0.0.1:{}?tls=off", server.port);
    smtp_at(&url, None, &authorities())
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("{name}: ");
    mail.lines().find_map(|line| line.strip_prefix(&start))
}

#[tokio::test]
async fn a_mail_has_text_and_html_and_the_same_id_at_each_try() {
    let server = SmtpServer::plain().await;
    let router = router(vec![smtp(&server)]);
    for _ in 0..2 {
        router.send(id(1), code(email("mina"))).await.expect("sent");
    }
    let mails = server.mails();
    assert_eq!(mails[0], mails[1], "not a byte differs");
    for (name, value) in [
        (
            "Message-ID",
            "<01010101-0101-0101-0101-010101010101@shop.example>",
        ),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("From", "Shop <no-reply@shop.example>"),
        ("To", "mina@example.com"),
        ("Date", "Mon, 21 Sep 2026 14:13:20 +0000"),
    ] {
        assert_eq!(header(&mails[0], name), Some(value), "{}", mails[0]);
    }
    let kinds = ["text/plain; charset=utf-8", "text/html; charset=utf-8"];
    for kind in kinds {
        assert!(mails[0].contains(kind), "{}", mails[0]);
    }
    let commands = server.commands();
    assert_eq!(commands[0], "EHLO shop.example");
    assert_eq!(commands[1], "MAIL FROM:<no-reply@shop.example>");
    assert_eq!(commands[2], "RCPT TO:<mina@example.com>");
}

#[tokio::test]
async fn a_password_goes_over_tls_only_to_whom_the_authority_vouches_for() {
    for (name, is_sent) in [("localhost", true), ("elsewhere.example", false)] {
        let certified = Certified::for_name(name);
        for scheme in ["smtp", "smtps"] {
            let server = match scheme {
                "smtp" => SmtpServer::starttls(certified.server.clone()).await,
                _ => SmtpServer::implicit(certified.server.clone()).await,
            };
            let url = format!("{scheme}://localhost:{}", server.port);
            for authorities in [&certified.authorities, &authorities()] {
                let is_vouched = authorities.has_additional();
                let login = Some(("mina", "s3cret"));
                let router = router(vec![smtp_at(&url, login, authorities)]);
                let sent = router.send(id(1), notice(email("mina"))).await;
                assert_eq!(
                    sent.is_ok(),
                    is_sent && is_vouched,
                    "{url} of {name}: {sent:?}"
                );
            }
            let signed_in = server
                .commands()
                .iter()
                .filter(|c| c.starts_with("AUTH"))
                .count();
            assert_eq!(signed_in, usize::from(is_sent), "{url} of {name}");
            assert_eq!(server.mails().len(), usize::from(is_sent));
        }
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_password_nor_mail() {
    let server = SmtpServer::plain().await;
    let url = format!("smtp://localhost:{}", server.port);
    let login = Some(("mina", "s3cret"));
    let router = router(vec![smtp_at(&url, login, &authorities())]);
    let refused = router.send(id(1), code(email("mina"))).await;
    assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
    let commands = server.commands();
    assert!(
        commands
            .iter()
            .all(|c| c.starts_with("EHLO") || c == "QUIT"),
        "{commands:?}"
    );
}

#[tokio::test]
async fn each_end_of_a_conversation_has_its_meaning() {
    let server = SmtpServer::plain().await;
    for (fault, expected) in [
        (Fault::Answers("GREETING", "421 too busy"), "refused"),
        (
            Fault::Answers("GREETING", "HTTP/1.1 400 Bad Request"),
            "refused",
        ),
        (Fault::CutsAfter("GREETING"), "refused"),
        (Fault::IsSilentAfter("GREETING"), "refused"),
        (Fault::Answers("MAIL", "550 5.7.1 not you"), "refused"),
        (Fault::Answers("RCPT", "450 4.2.0 greylisted"), "refused"),
        (
            Fault::Answers("RCPT", "550 5.1.1 <mina@example.com>: unknown"),
            "rejected",
        ),
        (Fault::IsSilentAfter("RCPT"), "refused"),
        (Fault::CutsAfter("DATA"), "refused"),
        (Fault::Answers(".", "451 4.3.0 later"), "refused"),
        (Fault::Answers(".", "554 5.6.0 spam"), "rejected"),
        (Fault::Answers(".", "fine"), "unknown"),
        (Fault::CutsAfter("."), "unknown"),
        (Fault::IsSilentAfter("."), "unknown"),
        (Fault::CutsAfter("QUIT"), "sent"),
        (Fault::IsSilentAfter("QUIT"), "sent"),
    ] {
        server.fail(fault);
        let router = router(vec![smtp(&server)]);
        let answer = router.send(id(1), code(email("mina"))).await;
        let found = match &answer {
            Ok(()) => "sent",
            Err(SendError::Rejected(_)) => "rejected",
            Err(SendError::Refused(_)) => "refused",
            Err(SendError::Unknown(_)) => "unknown",
        };
        assert_eq!(found, expected, "{fault:?}: {answer:?}");
        if let Err(error) = answer {
            assert!(!error.to_string().contains("mina"), "{error}");
        }
    }
}

#[tokio::test]
async fn what_comes_after_a_broken_conversation_is_not_mixed_up_with_it() {
    let server = SmtpServer::plain().await;
    let router = router(vec![smtp(&server)]);
    server.fail(Fault::IsSilentAfter("."));
    router
        .send(id(1), code(email("mina")))
        .await
        .expect_err("silent");
    server.fail(Fault::Answers("RCPT", "550 5.1.1 unknown"));
    let rejected = router.send(id(2), code(email("june"))).await;
    assert!(
        matches!(rejected, Err(SendError::Rejected(_))),
        "{rejected:?}"
    );
    server.fail(Fault::None);
    let tries = router
        .test(id(3), email("june"), Locale::English, None)
        .await;
    let said = tries[0].answer.clone().expect("sent").0;
    assert_eq!(said, "250 2.0.0 queued as 4711");
}
