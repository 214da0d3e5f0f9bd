//! Budgets of text messages whose codes nobody has typed in yet. Who makes
//! messages to earn by them, or to do harm, types none in; the right code gives
//! its message back.
//!
//! A budget belongs to an hour or a day by its name. Where a code is typed in
//! after midnight, the day that it was charged to is given back to.

use std::time::Duration;

use super::{DAY, HOUR, Limits, Rule};
use crate::model::{Address, ClientContext, Phone, Timestamp};
use crate::ports::{Guard, Learnt, LearntBudget, Raise};

/// The days before today whose verified messages let limits grow, and the share
/// of the best of them that may stay unverified.
const LEARNT_DAYS: u8 = 14;
const LEARNT_PERMILLE: u32 = 300;
/// How many more messages than it has verified on its best day a source may have
/// of its own.
const OWN_PERMILLE: u32 = 3_000;
/// How many messages to a country abroad a source may have of its own, which has
/// verified some there: as many as on its best day. All such sources together may
/// have as many as the country has verified on its best.
const OWN_ABROAD_PERMILLE: u32 = 1_000;
/// The share of a day that one of its hours may take: a sixth.
const HOURS_SHARE: u32 = 6;
/// How much longer than its hour or day a budget is kept: longer than a code is
/// good, so that what is given back late is given to what it was taken from.
const KEPT_AFTER: Duration = Duration::from_secs(2 * 60 * 60);
/// How long a counter of verified messages is kept after the last of them.
const COUNTER_TTL: Duration = Duration::from_secs(16 * 24 * 60 * 60);

/// Whom a code goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// Whoever has the address.
    Anybody,
    /// The user who has proved it before, if there is one: to others nothing is
    /// sent.
    Holder,
    /// Nobody: the caller delivers it.
    Caller,
}

/// A guard, and which rule each of its budgets is.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(super) guard: Guard,
    /// Those of `always`, then those of `shared`.
    pub(super) rules: Vec<Rule>,
    pub(super) is_at_home: bool,
    pub(super) now: Timestamp,
}

/// Where a message goes to, and the counters that its limits grow with.
struct Counters {
    /// The country of the number, or the calling code of one that has none.
    to: String,
    source: Option<String>,
    network: Option<String>,
    country: String,
    /// Those of all countries but the one at home.
    abroad: Option<Abroad>,
}

/// The counters of messages to other countries.
struct Abroad {
    all: String,
    /// Of a source to this country.
    source: Option<String>,
}

impl Limits {
    /// The guard over a text message, if it is one.
    ///
    /// A source that has verified messages lately, abroad those to the country, has
    /// a budget of its own, which nobody else can use up. A message to a user's own number is not
    /// guarded there: to numbers of which there is no user nothing is sent, so
    /// that neither is it told who is one nor is there anything to earn.
    pub(super) fn watch(
        &self,
        address: &Address,
        client: &ClientContext,
        to: Recipient,
    ) -> Option<Watch> {
        let Address::Phone(phone) = address else {
            return None;
        };
        if to == Recipient::Caller {
            return None;
        }
        let region = phone.region();
        let is_at_home = region == Some(self.settings.region);
        let to_country = match region {
            Some(region) => region.code(),
            None => phone.calling_code().to_owned(),
        };
        let counters = self.counters(to_country, client, is_at_home);
        let now = self.clock.now();
        let mut watch = Watch {
            guard: Guard {
                raises: counters.raises(now),
                records_only: self.settings.verification.unverified.records_only,
                ..Guard::default()
            },
            rules: Vec::new(),
            is_at_home,
            now,
        };
        if !is_at_home || to == Recipient::Anybody {
            self.guard(&mut watch, phone, client, &counters);
        }
        Some(watch)
    }

    fn counters(&self, to: String, client: &ClientContext, is_at_home: bool) -> Counters {
        let is_told = client.ip_address.is_some();
        let named = |kind: &str, part: &str| self.name(kind, &[part]);
        Counters {
            source: is_told.then(|| named("verified-source", &client.source())),
            network: client
                .network()
                .map(|network| named("verified-network", &network)),
            country: named("verified-country", &to),
            abroad: (!is_at_home).then(|| Abroad {
                all: self.name("verified-abroad", &[]),
                source: is_told.then(|| self.name("verified-source-to", &[&client.source(), &to])),
            }),
            to,
        }
    }

    fn guard(&self, watch: &mut Watch, phone: &Phone, client: &ClientContext, of: &Counters) {
        let limits = &self.settings.verification.unverified;
        let now = watch.now;
        let budget = |rule: Rule, parts: &[&str], limit: u32, counter: &str, permille: u32| {
            let slot = slot(now, rule.window()).to_string();
            let parts: Vec<&str> = parts.iter().copied().chain([&*slot]).collect();
            let window = rule.window() + KEPT_AFTER;
            LearntBudget {
                budget: self.budget(rule.as_str(), &parts, limit, window),
                learnt: Learnt {
                    counter: counter.into(),
                    slot: self::slot(now, DAY),
                    slots: LEARNT_DAYS,
                    permille,
                },
            }
        };
        if let Some(counter) = &of.source {
            let source = client.source();
            let limit = limits.per_source;
            let learnt = budget(Rule::Source, &[&source], limit, counter, LEARNT_PERMILLE);
            watch.guard.always.push(learnt);
            watch.rules.push(Rule::Source);
            watch.guard.own = match &of.abroad {
                None => vec![budget(Rule::Own, &[&source], 0, counter, OWN_PERMILLE)],
                Some(Abroad { source: None, .. }) => Vec::new(),
                Some(Abroad {
                    source: Some(to_here),
                    ..
                }) => {
                    let own = |parts: &[&str], counter: &str| {
                        budget(Rule::Own, parts, 0, counter, OWN_ABROAD_PERMILLE)
                    };
                    vec![
                        own(&[&source, &of.to], to_here),
                        own(&["all", "to", &of.to], &of.country),
                    ]
                }
            };
        }
        let mut shared = Vec::with_capacity(5);
        if let (Some(counter), Some(network)) = (&of.network, client.network()) {
            let limit = limits.per_network;
            let learnt = budget(Rule::Network, &[&network], limit, counter, LEARNT_PERMILLE);
            shared.push((Rule::Network, learnt));
        }
        let run = [phone.neighbourhood()];
        let limit = limits.per_neighbourhood;
        let learnt = budget(Rule::Neighbourhood, &run, limit, "", 0);
        shared.push((Rule::Neighbourhood, learnt));
        let day = match of.abroad {
            None => limits.at_home,
            Some(_) => limits.per_country,
        };
        let hour = (day / HOURS_SHARE).max(1);
        for (rule, limit, permille) in [
            (Rule::CountryHour, hour, LEARNT_PERMILLE / HOURS_SHARE),
            (Rule::CountryDay, day, LEARNT_PERMILLE),
        ] {
            let learnt = budget(rule, &[&of.to], limit, &of.country, permille);
            shared.push((rule, learnt));
        }
        if let Some(abroad) = &of.abroad {
            let counter = &abroad.all;
            let learnt = budget(Rule::Abroad, &[], limits.abroad, counter, LEARNT_PERMILLE);
            shared.push((Rule::Abroad, learnt));
        }
        for (rule, learnt) in shared {
            watch.guard.shared.push(learnt);
            watch.rules.push(rule);
        }
    }
}

impl Watch {
    /// Whether there is anything to charge.
    pub(super) fn guards(&self) -> bool {
        !self.rules.is_empty()
    }

    /// When the hour or the day of a rule is over.
    pub(super) fn retry_after(&self, rule: Rule) -> Duration {
        let window = rule.window();
        let millis = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let next = (slot(self.now, window) + 1).saturating_mul(millis);
        Timestamp::from_millis(next).since(self.now)
    }
}

impl Counters {
    fn raises(&self, now: Timestamp) -> Vec<Raise> {
        let raised = [
            self.source.as_ref(),
            self.network.as_ref(),
            Some(&self.country),
            self.abroad.as_ref().map(|abroad| &abroad.all),
            self.abroad
                .as_ref()
                .and_then(|abroad| abroad.source.as_ref()),
        ];
        let raise = |counter: &String| Raise {
            counter: counter.clone(),
            slot: slot(now, DAY),
            ttl: COUNTER_TTL,
        };
        raised.into_iter().flatten().map(raise).collect()
    }
}

/// Which hour or day it is.
fn slot(now: Timestamp, window: Duration) -> i64 {
    let millis = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    now.as_millis().div_euclid(millis)
}

impl Rule {
    fn window(self) -> Duration {
        match self {
            Self::CountryHour => HOUR,
            _ => DAY,
        }
    }
}
