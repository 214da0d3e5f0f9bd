//! Answers that break HTTP, TLS or the limits: faults 21 to 31.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::certificates::Shown;
use crate::fake::Place;
use crate::http_server::Answer;
use crate::world::{World, config};
use countersign_domain::model::ProviderKind;

const TALKING: [Place; 2] = [Place::Token, Place::Keys];

/// Honest at first; then nothing is remembered.
async fn fresh() -> World {
    let mut world = World::new().await;
    world.honest().await;
    world.restart(config(ProviderKind::OpenIdConnect));
    world
}

fn head(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}\r\n")
}

#[tokio::test]
async fn fault_21_the_discovery_document_of_another_issuer() {
    for issuer in [
        "https://evil.example",
        "https://id.example/",
        "https://ID.example",
    ] {
        let world = fresh().await;
        let issuer = json!({"issuer": issuer,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token", "jwks_uri": "https://id.example/jwks"});
        world
            .fake
            .instead(Place::Discovery, Answer::Json(200, issuer.to_string()));
        world
            .rejected("its issuer is not exactly https://id.example")
            .await;
    }
}

#[tokio::test]
async fn fault_22_endpoints_in_the_own_network() {
    let port = fresh().await.fake.address().port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00::1]",
    ] {
        for name in ["token_endpoint", "jwks_uri"] {
            let world = fresh().await;
            let url = format!("https://{host}:{port}/token");
            let mut document = json!({"issuer": "https://id.example",
                "authorization_endpoint": "https://id.example/authorize",
                "token_endpoint": "https://id.example/token",
                "jwks_uri": "https://id.example/jwks"});
            document[name] = json!(url);
            world
                .fake
                .instead(Place::Discovery, Answer::Json(200, document.to_string()));
            world.rejected("at which no provider may be").await;
        }
    }
    // Where the own network is allowed, clouds' secrets are not.
    let mut world = fresh().await;
    let mut config = config(ProviderKind::OpenIdConnect);
    config.allow_private_addresses = true;
    world.fake.state().discovery = |document| {
        document["token_endpoint"] = json!("https://169.254.169.254/latest/meta-data");
    };
    world.restart(config);
    world.rejected("at which no provider may be").await;
}

#[tokio::test]
async fn fault_22_endpoints_without_tls() {
    let world = fresh().await;
    world.fake.state().discovery = |document| {
        document["token_endpoint"] = json!("http://127.0.0.1/token");
    };
    world.rejected("its token_endpoint is not https").await;
}

#[tokio::test]
async fn fault_23_a_body_without_end() {
    for place in TALKING {
        let world = fresh().await;
        world
            .fake
            .instead(place, Answer::Endless("HTTP/1.1 200 OK\r\n\r\n"));
        world.rejected("more than 256 KiB").await;
    }
    let world = fresh().await;
    world
        .fake
        .instead(Place::Token, Answer::Endless("HTTP/1.1 200 OK\r\nx: "));
    world.rejected("not HTTP").await;
}

#[tokio::test]
async fn fault_23_a_body_that_says_that_it_is_large() {
    let world = fresh().await;
    world.fake.instead(
        Place::Keys,
        Answer::Endless("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
    );
    world.rejected("more than 256 KiB").await;
}

#[tokio::test]
async fn fault_24_a_compressed_bomb() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; 8 * 1024 * 1024]).unwrap();
    let bomb = encoder.finish().unwrap();
    for place in TALKING {
        let world = fresh().await;
        let more = format!(
            "content-encoding: gzip\r\ncontent-length: {}\r\n",
            bomb.len()
        );
        let bytes = [head(&more).as_bytes(), &bomb].concat();
        world.fake.instead(place, Answer::Bytes(bytes));
        world.rejected("compressed").await;
        let asked = world.fake.last_asked(place);
        assert_eq!(asked.headers["accept-encoding"], "identity");
    }
}

#[tokio::test]
async fn fault_25_bytes_now_and_then() {
    for place in TALKING {
        let mut world = fresh().await;
        let mut config = config(ProviderKind::OpenIdConnect);
        config.time_limit = Duration::from_secs(1);
        world.restart(config);
        world.fake.instead(place, Answer::Dripping);
        world.unavailable("no answer in time").await;
    }
}

#[tokio::test]
async fn fault_26_redirects_are_not_followed() {
    for place in [Place::Discovery, Place::Token, Place::Keys] {
        for status in [301, 302, 303, 307, 308] {
            let world = fresh().await;
            let answer = format!(
                "HTTP/1.1 {status} X\r\nlocation: https://id.example/elsewhere\r\ncontent-length: 0\r\n\r\n"
            );
            world
                .fake
                .instead(place, Answer::Bytes(answer.into_bytes()));
            world.rejected("redirects are not followed").await;
            let state = world.fake.state();
            assert!(
                !state
                    .asked
                    .iter()
                    .any(|(_, asked)| asked.path == "/elsewhere")
            );
        }
    }
}

#[tokio::test]
async fn fault_27_a_certificate_of_another_name() {
    let world = fresh().await;
    world.fake.show(Shown::OfAnotherName);
    world.unavailable("no TLS").await;
    world.fake.show(Shown::Good);
    world.honest().await;
}

#[tokio::test]
async fn fault_28_a_certificate_that_is_expired_or_of_nobody() {
    let world = fresh().await;
    for shown in [Shown::Expired, Shown::SelfSigned] {
        world.fake.show(shown);
        world.unavailable("no TLS").await;
    }
    world.fake.show(Shown::Good);
    world.honest().await;
}

#[tokio::test]
async fn fault_28_an_authority_that_is_not_configured() {
    let mut world = fresh().await;
    let mut config = config(ProviderKind::OpenIdConnect);
    config.root_certificates = None;
    world.restart(config);
    world.unavailable("no TLS").await;
}

#[tokio::test]
async fn fault_29_a_page_instead_of_an_answer() {
    for place in [Place::Discovery, Place::Token, Place::Keys] {
        let world = fresh().await;
        let page = "<!doctype html><title>Sorry</title>";
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        world
            .fake
            .instead(place, Answer::Bytes(answer.into_bytes()));
        world.rejected("not a JSON object").await;
    }
}

#[tokio::test]
async fn fault_30_bytes_that_are_not_utf_8() {
    for place in [Place::Discovery, Place::Token, Place::Keys] {
        let world = fresh().await;
        let bytes = [
            head("content-length: 9\r\n").as_bytes(),
            b"{\"a\":\"\xff\"}",
        ]
        .concat();
        world.fake.instead(place, Answer::Bytes(bytes));
        world.rejected("not UTF-8").await;
    }
    let world = fresh().await;
    world.fake.state().id_token = Some(Box::new(|header, claims| {
        let mut bytes = claims.as_bytes().to_vec();
        let at = claims.find("Kim").unwrap();
        bytes[at] = 0xff;
        let input = crate::signer::input(header, &bytes);
        let signature = crate::signer::RSA.sign(jsonwebtoken::Algorithm::RS256, &input);
        format!("{input}.{signature}")
    }));
    world.rejected("not UTF-8").await;
}

#[tokio::test]
async fn fault_31_members_that_are_repeated() {
    let world = fresh().await;
    world.fake.state().id_token = Some(Box::new(|header, claims| {
        let twice = claims.replacen('{', r#"{"sub":"person-2","#, 1);
        crate::signer::token(&crate::signer::RSA, header, &twice)
    }));
    world.rejected("distinct members").await;
    world.fake.state().id_token = None;
    world.honest().await;
    for place in [Place::Discovery, Place::Token, Place::Keys] {
        let world = fresh().await;
        world
            .fake
            .instead(place, Answer::Json(200, r#"{"keys":[],"keys":[]}"#.into()));
        world.rejected("distinct members").await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_rejected_and_what_breaks_off_is_not_the_persons_fault() {
    let world = fresh().await;
    world.fake.instead(
        Place::Token,
        Answer::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
    );
    world.rejected("not HTTP").await;
    world.fake.instead(Place::Token, Answer::Nothing);
    world.unavailable("ended before an answer").await;
    world.fake.instead(
        Place::Token,
        Answer::Bytes(head("content-length: 50\r\n").into_bytes()),
    );
    world.unavailable("broke off").await;
    for status in [429, 500, 502, 503, 504] {
        world
            .fake
            .instead(Place::Token, Answer::Json(status, "{}".into()));
        world.unavailable(&format!("answered {status}")).await;
    }
}
