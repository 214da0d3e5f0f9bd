//! The webhook: signed for each try, under the same id, and over TLS only to
//! whom it is meant for.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_delivery::{Authorities, Webhook, WebhookSettings};
use countersign_domain::ports::{MessageSender as _, SendError};
use serde_json::{Value, json};

use crate::common::{
    Certified, LINK, authorities, clock, code, email, id, link, notice, phone, router,
};
use crate::http_server::{Behaviour, HttpServer};

const SECRETS: [&str; 2] = [
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
];

pub(crate) fn webhook(server: &HttpServer, authorities: Authorities) -> Box<Webhook> {
    let settings = WebhookSettings {
        url: format!("{}/send?from=countersign", server.url),
        secrets: SECRETS
            .map(|secret| format!("whsec_{secret}").into())
            .into(),
    };
    Box::new(Webhook::new(&settings, authorities, clock()).expect("good"))
}

pub(crate) fn accepts() -> Behaviour {
    Behaviour::Answers(204, "", String::new())
}

#[tokio::test]
async fn both_secrets_sign_and_the_id_stays_the_same_at_each_try() {
    let server = HttpServer::start(Behaviour::Answers(503, "", String::new())).await;
    let router = router(vec![webhook(&server, authorities())]);
    router.send(id(1), code(phone(1))).await.expect_err("503");
    server.behave(accepts());
    router.send(id(1), code(phone(1))).await.expect("sent");
    let [first, second] = server.taken().try_into().expect("two tries");
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert_eq!(
        second.headers["webhook-id"],
        "msg_01010101-0101-0101-0101-010101010101"
    );
    assert_eq!(second.headers["webhook-timestamp"], "1790000000");
    assert_eq!(second.line, "POST /send?from=countersign HTTP/1.1");
    let text = format!(
        "{}.1790000000.{}",
        second.headers["webhook-id"], second.body
    );
    let signatures = SECRETS.map(|secret| {
        let key = STANDARD.decode(secret).expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, text.as_bytes())))
    });
    assert_eq!(second.headers["webhook-signature"], signatures.join(" "));
    let body: Value = serde_json::from_str(&second.body).expect("JSON");
    let expected = json!({
        "type": "message.send",
        "data": {
            "channel": "sms",
            "to": "+821012300001",
            "locale": "ko",
            "name": "sign_up",
            "text": "[Shop & Co] 회원가입 인증번호 [048213] 타인노출금지",
            "code": "048213",
            "expires_at": 1_790_000_300,
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn mail_comes_with_subject_text_and_html() {
    let server = HttpServer::start(accepts()).await;
    let router = router(vec![webhook(&server, authorities())]);
    router
        .send(id(1), notice(email("mina")))
        .await
        .expect("sent");
    let body: Value = serde_json::from_str(&server.taken()[0].body).expect("JSON");
    let data = &body["data"];
    assert_eq!(data["subject"], "[Shop & Co] Your password was changed");
    assert_eq!(data["name"], "password_changed");
    let html = data["html"].as_str().expect("HTML");
    assert!(html.starts_with("<!doctype html>"), "{html}");
    assert_eq!(data["code"], Value::Null);
}

#[tokio::test]
async fn a_link_comes_in_the_text_and_by_itself() {
    let server = HttpServer::start(accepts()).await;
    let router = router(vec![webhook(&server, authorities())]);
    for to in [phone(1), email("mina")] {
        router.send(id(1), link(to)).await.expect("sent");
    }
    for taken in server.taken() {
        let body: Value = serde_json::from_str(&taken.body).expect("JSON");
        let data = &body["data"];
        assert_eq!(data["name"], "sign_in_link");
        assert_eq!((&data["link"], &data["code"]), (&json!(LINK), &Value::Null));
        assert_eq!(data["expires_at"], 1_790_000_300);
        let text = data["text"].as_str().expect("a text");
        assert!(text.contains(LINK), "{text}");
    }
}

#[tokio::test]
async fn a_receiver_that_the_authority_vouches_for_is_told_and_no_other() {
    for (name, is_sent) in [("localhost", true), ("elsewhere.example", false)] {
        let certified = Certified::for_name(name);
        let server = HttpServer::start_tls(accepts(), certified.server.clone()).await;
        let with_authority = router(vec![webhook(&server, certified.authorities.clone())]);
        let sent = with_authority.send(id(1), code(phone(1))).await;
        assert_eq!(sent.is_ok(), is_sent, "{name}: {sent:?}");
        let without = router(vec![webhook(&server, authorities())]);
        let refused = without.send(id(1), code(phone(1))).await;
        assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
        assert_eq!(server.taken().len(), usize::from(is_sent));
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = HttpServer::start(accepts()).await;
    let server = HttpServer::start(accepts()).await;
    let location: &'static str = format!("location: {}/\r\n", elsewhere.url).leak();
    for status in [301, 302, 307, 308] {
        server.behave(Behaviour::Answers(status, location, String::new()));
        let router = router(vec![webhook(&server, authorities())]);
        let refused = router.send(id(1), code(phone(1))).await;
        assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
    }
    assert!(elsewhere.taken().is_empty());
}
