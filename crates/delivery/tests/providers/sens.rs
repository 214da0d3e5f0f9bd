//! SENS: what it is asked, to the byte, and what is made of its answers.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_delivery::{
    AlimTalk, AlimTalkSettings, AlimTalkTemplate, Sens, SensKeys, SensSettings,
};
use countersign_domain::model::{Address, Locale, Phone};
use countersign_domain::ports::{MessageSender as _, SendError};
use serde_json::{Value, json};

use crate::common::{LINK, authorities, clock, code, email, id, link, phone, router, router_with};
use crate::http_server::{Behaviour, HttpServer};

const SERVICE: &str = "ncp:sms:kr:000000000000:test";
pub(crate) const SENT: &str = r#"{"requestId":"RSLA-1","requestTime":"2026-09-21T22:26:13.358","statusCode":"202","statusName":"success"}"#;

fn keys(server: &HttpServer) -> SensKeys {
    SensKeys {
        base_url: server.url.clone(),
        access_key: "accessKey".into(),
        secret_key: "secretKey".into(),
    }
}

fn alimtalk(server: &HttpServer) -> Box<AlimTalk> {
    let settings = AlimTalkSettings {
        keys: keys(server),
        service_id: "ncp:kkobizmsg:kr:0000000:test".into(),
        plus_friend_id: "@shop".into(),
        templates: vec![AlimTalkTemplate::parse("sign_up.ko=SIGNUP01").expect("a template")],
        failover_from: Some("0215881588".into()),
    };
    Box::new(AlimTalk::new(settings, authorities(), clock()).expect("a URL"))
}

pub(crate) fn sens(server: &HttpServer) -> Box<Sens> {
    let settings = SensSettings {
        keys: keys(server),
        service_id: SERVICE.into(),
        from: "0215881588".into(),
    };
    Box::new(Sens::new(settings, authorities(), clock()).expect("a URL"))
}

pub(crate) fn accepts() -> Behaviour {
    Behaviour::Answers(202, "", SENT.into())
}

#[tokio::test]
async fn the_request_is_signed_and_written_as_the_documents_say() {
    let server = HttpServer::start(accepts()).await;
    let router = router(vec![sens(&server)]);
    router.send(id(1), code(phone(45678))).await.expect("sent");
    let [taken] = server.taken().try_into().expect("one request");

    let path = format!("/sms/v2/services/{SERVICE}/messages");
    assert_eq!(taken.line, format!("POST {path} HTTP/1.1"));
    let header = |name: &str| taken.headers[name].as_str();
    // The clock of the tests stands still.
    assert_eq!(header("x-ncp-apigw-timestamp"), "1790000000000");
    assert_eq!(header("x-ncp-iam-access-key"), "accessKey");
    let signed = format!("POST {path}\n1790000000000\naccessKey");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secretKey");
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    assert_eq!(header("x-ncp-apigw-signature-v2"), signature);
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(format!("http://{}", header("host")), server.url);
    let body: Value = serde_json::from_str(&taken.body).expect("JSON");
    let expected = json!({
        "type": "SMS",
        "contentType": "COMM",
        "countryCode": "82",
        "from": "0215881588",
        "content": "[Shop & Co] 회원가입 인증번호 [048213] 타인노출금지",
        "messages": [{ "to": "01012345678" }],
    });
    assert_eq!(body, expected);
}

/// What the outbox would give up later is known before it is promised.
#[tokio::test]
async fn it_is_known_before_what_no_provider_can_deliver() {
    let server = HttpServer::start(accepts()).await;
    let abroad = || Address::Phone(Phone::restore("+12025550123").expect("a number"));
    let alone = router(vec![sens(&server)]);
    assert!(alone.takes(&link(phone(1))), "there are long messages");
    assert!(!alone.takes(&link(abroad())), "and none abroad");
    assert!(alone.takes(&code(abroad())));
    assert!(!alone.takes(&link(email("mina"))), "it sends no mail");
    assert!(!router(Vec::new()).takes(&code(phone(1))));
    // Of the templates that it is told of, there is the text of none.
    let talk = router(vec![alimtalk(&server)]);
    assert!(!talk.takes(&code(phone(1))));
    let both = router(vec![alimtalk(&server), sens(&server)]);
    assert!(both.takes(&code(phone(1))));
    assert!(server.taken().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn every_answer_leads_to_sent_tried_again_given_up_or_unknown() {
    let gateway =
        |code: &str| json!({"error": {"errorCode": code, "message": "M", "details": "D"}});
    let service = |status: u16| json!({"status": status, "error": "E", "message": "M"});
    let server = HttpServer::start(accepts()).await;
    for (status, headers, body, expected) in [
        (202, "", SENT.to_owned(), "sent"),
        (400, "", gateway("100").to_string(), "rejected"),
        (400, "", service(400).to_string(), "rejected"),
        (400, "", String::new(), "rejected"),
        (401, "", gateway("200").to_string(), "refused"),
        (403, "", service(403).to_string(), "refused"),
        (404, "", String::new(), "refused"),
        (
            429,
            "retry-after: 7\r\n",
            gateway("410").to_string(),
            "refused",
        ),
        (500, "", gateway("900").to_string(), "refused"),
        (500, "", "no JSON".to_owned(), "unknown"),
        (502, "", "<html>".to_owned(), "unknown"),
        (503, "", service(503).to_string(), "refused"),
        (504, "", gateway("510").to_string(), "unknown"),
        (202, "", String::new(), "unknown"),
        (202, "", "x".repeat(100_000), "unknown"),
        (
            302,
            "location: http://127.0.0.1:1/\r\n",
            String::new(),
            "refused",
        ),
    ] {
        server.behave(Behaviour::Answers(status, headers, body.clone()));
        // A breaker of its own for each.
        let router = router(vec![sens(&server)]);
        let found = match router.send(id(1), code(phone(1))).await {
            Ok(()) => "sent",
            Err(SendError::Rejected(_)) => "rejected",
            Err(SendError::Refused(_)) => "refused",
            Err(SendError::Unknown(_)) => "unknown",
        };
        assert_eq!(found, expected, "{status} {body}");
    }
    assert_eq!(server.taken().len(), 16, "one request each");
}

#[tokio::test]
async fn a_test_message_shows_what_the_provider_said_and_the_log_does_not() {
    let told = json!({"error": {"errorCode": "210", "message": "Permission Denied", "details": "to 01012300001"}});
    let server = HttpServer::start(Behaviour::Answers(401, "", told.to_string())).await;
    let router = router(vec![sens(&server)]);
    let tries = router.test(id(1), phone(1), Locale::English, None).await;
    let error = tries[0].answer.clone().expect_err("refused");
    assert_eq!(error.said(), "Permission Denied: to 01012300001");
    assert_eq!(error.to_string(), "answered 401, error 210");
}

#[tokio::test]
async fn a_link_goes_out_as_a_long_message_within_korea_and_not_beyond() {
    let server = HttpServer::start(accepts()).await;
    let router = router(vec![sens(&server)]);
    router.send(id(1), link(phone(45678))).await.expect("sent");
    let body: Value = serde_json::from_str(&server.taken()[0].body).expect("JSON");
    let expected = json!({
        "type": "LMS",
        "contentType": "COMM",
        "countryCode": "82",
        "from": "0215881588",
        "content": format!("[Shop & Co] 로그인 링크입니다. 타인에게 전달하지 마세요.\n{LINK}"),
        "messages": [{ "to": "01012345678" }],
    });
    assert_eq!(body, expected);
    let abroad = Phone::restore("+16502530000").expect("a number");
    let refused = router.send(id(2), link(Address::Phone(abroad))).await;
    assert!(
        matches!(refused, Err(SendError::Rejected(_))),
        "{refused:?}"
    );
    assert_eq!(server.taken().len(), 1, "the other was not asked for");
}

#[tokio::test]
async fn mail_is_not_its_business() {
    let server = HttpServer::start(accepts()).await;
    let router = router(vec![sens(&server)]);
    let error = router
        .send(id(1), code(email("mina")))
        .await
        .expect_err("no");
    assert!(matches!(error, SendError::Rejected(_)), "{error}");
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn alimtalk_sends_the_approved_text_with_a_text_message_to_fall_back_on() {
    let accepted = |code: &str| {
        let message =
            json!({"messageId": "M", "requestStatusCode": code, "requestStatusDesc": "D"});
        let answer = json!({"requestId": "R", "statusCode": "202", "messages": [message]});
        Behaviour::Answers(202, "", answer.to_string())
    };
    let server = HttpServer::start(accepted("A000")).await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let text = "[{product}] 인증번호는 {code}입니다.\n{minutes}분 안에 입력해 주세요.\n";
    std::fs::write(folder.path().join("alimtalk.sign_up.ko.txt"), text).expect("a file");
    let made = || router_with(vec![alimtalk(&server)], Some(folder.path().into()));
    made().send(id(1), code(phone(45678))).await.expect("sent");
    let [taken] = server.taken().try_into().expect("one request");
    let line = "POST /alimtalk/v2/services/ncp:kkobizmsg:kr:0000000:test/messages HTTP/1.1";
    assert_eq!(taken.line, line);
    let body: Value = serde_json::from_str(&taken.body).expect("JSON");
    let expected = json!({
        "plusFriendId": "@shop",
        "templateCode": "SIGNUP01",
        "messages": [{
            "countryCode": "82",
            "to": "01012345678",
            "content": "[Shop & Co] 인증번호는 048213입니다.\n5분 안에 입력해 주세요.",
            "useSmsFailover": true,
            "failoverConfig": {
                "type": "SMS",
                "from": "0215881588",
                "content": "[Shop & Co] 회원가입 인증번호 [048213] 타인노출금지",
            },
        }],
    });
    assert_eq!(body, expected);

    for (answer, is_rejected) in [(accepted("E105"), true), (accepts(), false)] {
        server.behave(answer);
        let error = made()
            .send(id(1), code(phone(1)))
            .await
            .expect_err("not accepted");
        assert_eq!(
            matches!(error, SendError::Rejected(_)),
            is_rejected,
            "{error}"
        );
        assert_eq!(
            matches!(error, SendError::Unknown(_)),
            !is_rejected,
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_has_no_approved_template_is_left_to_the_next_provider() {
    let (first, second) = (
        HttpServer::start(accepts()).await,
        HttpServer::start(accepts()).await,
    );
    let router = router(vec![alimtalk(&first), sens(&second)]);
    router.send(id(1), code(phone(1))).await.expect("sent");
    assert_eq!((first.taken().len(), second.taken().len()), (0, 1));
}
