//! Asking about the same tokens again and again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_proto::v1;
use tokio::time::{Instant, sleep};

use crate::calls::{one_word, verdict};
use crate::details;
use crate::gateway::Gateway;
use crate::tally::Tally;

/// How many single questions are asked between two about all tokens at once.
const SINGLE_QUESTIONS: usize = 10;

impl Gateway {
    /// Asks about many tokens in one call: `VALID`, the rejection, or the reason
    /// why there is no answer, for each.
    pub async fn judge_all(&self, access_tokens: &[String]) -> Vec<String> {
        let ask = |token: &String| v1::ValidateTokenRequest {
            access_token: token.clone(),
            ..Default::default()
        };
        let requests = access_tokens.iter().map(ask).collect();
        let request = v1::ValidateTokensRequest { requests };
        match self.auth().validate_tokens(request).await {
            Ok(answers) => {
                let answers = answers.into_inner().responses.into_iter();
                answers.map(|answer| one_word(&verdict(answer))).collect()
            }
            Err(status) => {
                let reason = details::reason::<()>(&Err(status));
                vec![reason; access_tokens.len()]
            }
        }
    }
}

/// Asks about the tokens until a moment, one token every `pause`, and now and
/// then about all of them in one call. Counts the answers.
pub async fn ask_again_and_again(
    gateway: Gateway,
    access_tokens: Vec<String>,
    pause: Duration,
    until: Instant,
) -> Tally {
    let mut tally = Tally::default();
    let mut turn = 0;
    while Instant::now() < until && !access_tokens.is_empty() {
        if turn % SINGLE_QUESTIONS == 0 {
            for word in gateway.judge_all(&access_tokens).await {
                tally.add(&word);
            }
        }
        let token = &access_tokens[turn % access_tokens.len()];
        tally.add(&gateway.judge(token).await);
        turn += 1;
        sleep(pause).await;
    }
    tally
}

/// The `kid` in the header of an access token.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn key_id(access_token: &str) -> String {
    let header = access_token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}
