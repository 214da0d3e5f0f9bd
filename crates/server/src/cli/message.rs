//! `countersign message test`: whether the providers of the configuration take
//! a message, and what they say.

use std::io::Write;
use std::sync::Arc;

use countersign_delivery::{Channel, TestTry};
use countersign_domain::model::{Address, Email, Locale, MessageId, Phone};
use countersign_domain::ports::Clock;
use serde::Serialize;

use super::arguments::MessageTest;
use super::failure::{Failure, Outcome};
use super::table;
use crate::config::Config;
use crate::senders;
use crate::system::{SystemClock, SystemRandom};

/// What a provider said, as it is listed.
#[derive(Serialize)]
struct Row {
    provider: &'static str,
    outcome: &'static str,
    why: Option<String>,
    said: String,
}

/// Sends a test message and lists the providers that were tried.
pub(super) async fn test(
    config: &Config,
    arguments: &MessageTest,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let to = address(&arguments.to, config)?;
    let channel = Channel::to(&to).as_str();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let router = senders::router(config, false, Arc::clone(&clock))?;
    let id = MessageId::generate(clock.now(), &SystemRandom);
    let locale = match arguments.locale.as_str() {
        "ko" => Locale::Korean,
        _ => Locale::English,
    };
    let provider = arguments.provider.as_deref();
    let tries = match router {
        Some(router) => router.test(id, to, locale, provider).await,
        None => Vec::new(),
    };
    if tries.is_empty() {
        return Err(Failure::configuration(missing(channel, provider)));
    }
    let is_sent = tries.iter().any(|tried| tried.answer.is_ok());
    let rows: Vec<_> = tries.into_iter().map(Row::from).collect();
    if arguments.json {
        table::write_json(out, &rows)?;
    } else {
        write(&rows, out)?;
    }
    Ok(if is_sent {
        Outcome::Done
    } else {
        Outcome::Lacking
    })
}

/// Why nothing could be tried, and what to do about it.
fn missing(channel: &str, provider: Option<&str>) -> String {
    let (names, variable) = match channel {
        "sms" => (r#"["sens"], ["alimtalk"] or ["webhook"]"#, "SMS"),
        _ => (r#"["smtp"] or ["webhook"]"#, "EMAIL"),
    };
    let lacks = match provider {
        Some(name) => format!("delivery.{channel} does not name {name}"),
        None => format!("delivery.{channel} names no provider"),
    };
    format!(
        "{lacks}: set it to {names}, whose settings stand in docs/messages.md, or to [\"log\"] to \
         try it out, which delivers nothing (COUNTERSIGN__DELIVERY__{variable}=log)"
    )
}

fn address(text: &str, config: &Config) -> Result<Address, Failure> {
    let region = config.identifiers.default_region.0;
    let parsed = match text.contains('@') {
        true => Email::parse(text).map(Address::Email),
        false => Phone::parse(text, region).map(Address::Phone),
    };
    parsed.map_err(|rule| Failure::usage(format!("--to {rule}")))
}

fn write(rows: &[Row], out: &mut dyn Write) -> std::io::Result<()> {
    let cells = rows.iter().map(|row| {
        let why = row.why.clone().unwrap_or_else(|| "-".into());
        let (provider, outcome) = (row.provider.to_owned(), row.outcome.to_owned());
        [provider, outcome, why, row.said.clone()]
    });
    let header = ["PROVIDER", "OUTCOME", "WHY", "SAID"];
    table::write(out, header, &cells.collect::<Vec<_>>())
}

impl From<TestTry> for Row {
    fn from(tried: TestTry) -> Self {
        match tried.answer {
            Ok(accepted) => Self {
                provider: tried.provider,
                outcome: "sent",
                why: None,
                said: accepted.0,
            },
            Err(error) => Self {
                provider: tried.provider,
                outcome: error.outcome(),
                why: Some(error.to_string()),
                said: error.said().to_owned(),
            },
        }
    }
}
