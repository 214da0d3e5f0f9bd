//! Combinations of settings, and of settings with what a start finds, that are
//! refused or warned of: the one table from which the checks, the warnings and
//! `docs/configuration.md` come.

use std::fmt;
use std::time::Duration;

use super::checks::Checks;
use super::messages::{missing_of_providers, wrong_texts};
use super::{Config, DeliveryConfig, TokenProfileConfig};

/// A combination that is wrong, or not what most operators want.
#[derive(Clone, Copy)]
pub(crate) struct Combination {
    /// The combination, with the settings that lead to it.
    pub(crate) what: &'static str,
    /// Why it is refused or warned of.
    pub(crate) why: &'static str,
    judged: Judged,
}

/// What is done about a combination, and where it is found.
#[derive(Clone, Copy)]
enum Judged {
    /// Refused by the settings alone.
    Refused(Rule),
    /// Refused by the settings alone, each by its own name.
    RefusedEach(fn(&Config) -> Vec<(String, String)>),
    /// Refused where a start finds it.
    RefusedAtStart,
    /// Warned of when the server listens.
    Warned(fn(&Start) -> bool),
    /// Warned of where a start finds it.
    WarnedAtStart,
}

/// What must be true of a setting.
#[derive(Clone, Copy)]
struct Rule {
    key: &'static str,
    /// The setting that it must fit; itself, if there is none.
    other: &'static str,
    rule: &'static str,
    is_broken: fn(&Config) -> bool,
}

/// What a start has found.
pub(crate) struct Start<'a> {
    pub(crate) config: &'a Config,
    /// Whether no caller is known.
    pub(crate) is_open: bool,
    /// Whether messages are handed to anything.
    pub(crate) has_sender: bool,
}

pub(crate) const OPEN_TO_THE_WORLD: Combination = Combination {
    what: "no caller is known, and server.listen is no loopback address",
    why: "everybody who reaches it could call everything",
    judged: Judged::RefusedAtStart,
};

pub(crate) const UNMIGRATED: Combination = Combination {
    what: "the tables are not up to date, and database.migrate is false",
    why: "the server would work on tables of another version",
    judged: Judged::RefusedAtStart,
};

pub(crate) const KEYS_WITHOUT_MASTER_KEY: Combination = Combination {
    what: "the database has signing keys, but there is no master key (keys.master_key, data_dir)",
    why: "no other master key opens them",
    judged: Judged::RefusedAtStart,
};

pub(crate) const MASTER_KEY_WITHOUT_KEYS: Combination = Combination {
    what: "the database is empty, it has no signing keys, but there is a master key",
    why: "unless this is the first start on a new database, stop, and put the right database back",
    judged: Judged::WarnedAtStart,
};

pub(crate) const ANOTHER_ALGORITHM: Combination = Combination {
    what: "the key that signs is of another algorithm than tokens.algorithm",
    why: "the next key is of that one, and takes over when keys rotate: by themselves, or now by \
          `countersign keys rotate`",
    judged: Judged::WarnedAtStart,
};

pub(crate) const FEW_DESCRIPTORS: Combination = Combination {
    what: "server.max_connections is lowered",
    why: "the limit of file descriptors (ulimit -n, LimitNOFILE) leaves no room for more",
    judged: Judged::WarnedAtStart,
};

/// All that there are.
const COMBINATIONS: [Combination; 31] = [
    Combination {
        what: "server.tls_certificate is set, and server.tls_private_key is not",
        why: "TLS needs both",
        judged: Judged::Refused(Rule {
            key: "server.tls_private_key",
            other: "server.tls_private_key",
            rule: "must be set too, as server.tls_certificate is",
            is_broken: |config| {
                let server = &config.server;
                server.tls_certificate.is_some() && server.tls_private_key.is_none()
            },
        }),
    },
    Combination {
        what: "server.tls_private_key is set, and server.tls_certificate is not",
        why: "TLS needs both",
        judged: Judged::Refused(Rule {
            key: "server.tls_certificate",
            other: "server.tls_certificate",
            rule: "must be set too, as server.tls_private_key is",
            is_broken: |config| {
                let server = &config.server;
                server.tls_private_key.is_some() && server.tls_certificate.is_none()
            },
        }),
    },
    Combination {
        what: "server.tls_client_ca is set, and server.tls_certificate is not",
        why: "client certificates are shown over TLS",
        judged: Judged::Refused(Rule {
            key: "server.tls_certificate",
            other: "server.tls_certificate",
            rule: "must be set too, as server.tls_client_ca is",
            is_broken: |config| {
                let server = &config.server;
                server.tls_client_ca.is_some() && server.tls_certificate.is_none()
            },
        }),
    },
    Combination {
        what: "metrics.listen is server.listen",
        why: "one address serves one of them",
        judged: Judged::Refused(Rule {
            key: "metrics.listen",
            other: "server.listen",
            rule: "must be another address than server.listen",
            is_broken: |config| {
                let listen = config.server.listen;
                config.metrics.listen == Some(listen) && listen.port() != 0
            },
        }),
    },
    Combination {
        what: "tokens.access_ttl is shorter than 10s or longer than 1d",
        why: "a shorter one has people refresh all the time, and a longer one is good for long \
              wherever nobody asks whether it was revoked",
        judged: Judged::Refused(Rule {
            key: "tokens.access_ttl",
            other: "tokens.access_ttl",
            rule: "must be 10s to 1d",
            is_broken: |config| {
                let bounds = Duration::from_secs(10)..=Duration::from_secs(86_400);
                !bounds.contains(&config.tokens.access_ttl)
            },
        }),
    },
    Combination {
        what: "tokens.access_ttl is longer than tokens.idle_ttl",
        why: "an access token would outlive the session that it belongs to",
        judged: Judged::Refused(Rule {
            key: "tokens.access_ttl",
            other: "tokens.idle_ttl",
            rule: "must not be longer than tokens.idle_ttl",
            is_broken: |config| config.tokens.access_ttl > config.tokens.idle_ttl,
        }),
    },
    Combination {
        what: "tokens.idle_ttl is longer than tokens.session_ttl",
        why: "it would never end a session",
        judged: Judged::Refused(Rule {
            key: "tokens.idle_ttl",
            other: "tokens.session_ttl",
            rule: "must not be longer than tokens.session_ttl",
            is_broken: |config| config.tokens.idle_ttl > config.tokens.session_ttl,
        }),
    },
    Combination {
        what: "mfa.remember_device is longer than devices.lifetime",
        why: "a device is forgotten with what was shown on it",
        judged: Judged::Refused(Rule {
            key: "mfa.remember_device",
            other: "devices.lifetime",
            rule: "must not be longer than devices.lifetime",
            is_broken: |config| config.mfa.remember_device > config.devices.lifetime,
        }),
    },
    Combination {
        what: "validation.poll_interval is longer than half of validation.feed_bound",
        why: "one late reading of revocations would have validation wait for the database",
        judged: Judged::Refused(Rule {
            key: "validation.poll_interval",
            other: "validation.feed_bound",
            rule: "must be at most half of validation.feed_bound",
            is_broken: |config| config.validation.poll_interval * 2 > config.validation.feed_bound,
        }),
    },
    Combination {
        what: "delivery.sms or delivery.email names a provider, and a setting of its section is \
               missing",
        why: "it could not be asked",
        judged: Judged::RefusedEach(missing_of_providers),
    },
    Combination {
        what: "delivery.timeout, for each provider of delivery.sms or of delivery.email, is \
               longer than 45s together",
        why: "after a minute another replica takes a message over, and gives a code up that may \
              have been sent",
        judged: Judged::Refused(Rule {
            key: "delivery.timeout",
            other: "delivery.timeout",
            rule: "must be at most 45s for all providers of a list together",
            is_broken: |config| config.delivery.longest() > DeliveryConfig::LONGEST,
        }),
    },
    Combination {
        what: "a text of a message is wrong or too long (delivery.templates, \
               delivery.product_name, delivery.origin, verification.code_digits, \
               verification.link_prefixes)",
        why: "people would get it cut off, as two messages, or without its code or link",
        judged: Judged::RefusedEach(wrong_texts),
    },
    Combination {
        what: "passkeys.rp_id is no domain, or a single word other than localhost, or is set without \
               passkeys.origins, or the other way round, or an origin is of another domain",
        why: "browsers would make no passkey, or what they answer would be refused",
        judged: Judged::RefusedEach(wrong_passkeys),
    },
    Combination {
        what: "a token profile (tokens.profiles) lacks its key, or claims that name the user and \
               tell access from refresh tokens, or audiences that are offered; or two have one key, \
               or would be chosen for one session",
        why: "its tokens would not be told from others, or would be good for nothing",
        judged: Judged::RefusedEach(wrong_token_profiles),
    },
    Combination {
        what: "a provider of sign-ins (federation.providers) lacks what its kind needs, or has what \
               belongs to another",
        why: "nobody could sign in with it",
        judged: Judged::RefusedEach(wrong_providers),
    },
    OPEN_TO_THE_WORLD,
    UNMIGRATED,
    KEYS_WITHOUT_MASTER_KEY,
    Combination {
        what: "the maxmemory-policy of Redis (redis.url) is another than noeviction",
        why: "budgets and codes would get lost when its memory is full",
        judged: Judged::RefusedAtStart,
    },
    Combination {
        what: "Redis (redis.url) takes no writes, as a replica does not, or is older than 7",
        why: "codes and limits could not be kept",
        judged: Judged::RefusedAtStart,
    },
    Combination {
        what: "there is no Redis (redis.url) beside a database that can be shared (database.url)",
        why: "codes and limits are this process's own, so a second replica would not know the \
              codes of the first, and limits would be doubled",
        judged: Judged::Warned(|start| {
            let config = start.config;
            config.database_url().scheme() != "sqlite" && config.redis.url.is_none()
        }),
    },
    Combination {
        what: "calls come in plaintext from other machines (server.tls_certificate)",
        why: "passwords, tokens and API keys can be read on the way, unless a proxy or the \
              network encrypts",
        judged: Judged::Warned(|start| {
            let server = &start.config.server;
            !server.listen.ip().is_loopback() && server.tls_certificate.is_none()
        }),
    },
    Combination {
        what: "there is no sender (delivery.sms, delivery.email)",
        why: "what needs a message is refused: with callers, or off loopback, the log, which \
              shows codes, must be chosen by name",
        judged: Judged::Warned(|start| !start.has_sender),
    },
    Combination {
        what: "mfa.policy or a policy of mfa.group_policies requires a second factor, and codes \
               cannot be sent to all addresses of people at home (delivery.sms, delivery.email, \
               verification.countries, identifiers.default_region)",
        why: "who has enrolled no factor, and has no other address, is refused after the right \
              password (SECOND_FACTOR_UNAVAILABLE)",
        judged: Judged::Warned(|start| {
            let config = start.config;
            config.mfa.is_for_everybody() && !(start.has_sender && sends_everywhere_at_home(config))
        }),
    },
    Combination {
        what: "the secret of a token profile (tokens.profiles) is shorter than 32 bytes",
        why: "whoever has one token can find it by trying, and then make others (RFC 7518, section \
              3.2); set accept_until",
        judged: Judged::Warned(|start| {
            let mut profiles = start.config.tokens.profiles.values();
            profiles.any(TokenProfileConfig::has_short_secret)
        }),
    },
    Combination {
        what: "a token profile (tokens.profiles) has no constants",
        why: "whatever the other server signed with this key, and names a user, is an access \
              token: also a link for a new password",
        judged: Judged::Warned(|start| {
            let mut profiles = start.config.tokens.profiles.values();
            profiles.any(|profile| profile.constants.is_empty())
        }),
    },
    Combination {
        what: "no caller is known",
        why: "everybody on this machine may call everything (see `countersign caller new --help`)",
        judged: Judged::Warned(|start| start.is_open),
    },
    Combination {
        what: "the certificate (server.tls_certificate) has no subjectAltName, or is that of a \
               certification authority",
        why: "clients refuse such a one, whoever signed it",
        judged: Judged::WarnedAtStart,
    },
    MASTER_KEY_WITHOUT_KEYS,
    ANOTHER_ALGORITHM,
    FEW_DESCRIPTORS,
];

/// Whether a sender of the configuration takes codes to phone numbers at home and to
/// mail. Where none is chosen, the log takes both.
fn sends_everywhere_at_home(config: &Config) -> bool {
    let delivery = &config.delivery;
    let has_both = !delivery.sms.is_empty() && !delivery.email.is_empty();
    let countries = &config.verification.countries;
    let home = &config.identifiers.default_region;
    (delivery.is_default() || has_both) && (countries.is_empty() || countries.contains(home))
}

fn wrong_token_profiles(config: &Config) -> Vec<(String, String)> {
    config.token_profiles().err().unwrap_or_default()
}

fn wrong_providers(config: &Config) -> Vec<(String, String)> {
    config.federation.providers().err().unwrap_or_default()
}

fn wrong_passkeys(config: &Config) -> Vec<(String, String)> {
    let wrong = config.relying_party().err();
    wrong
        .map(|(key, rule)| (key.to_owned(), rule.to_owned()))
        .into_iter()
        .collect()
}

/// Refuses the combinations that the settings alone make.
pub(super) fn check(config: &Config, checks: &mut Checks) {
    for combination in COMBINATIONS {
        match combination.judged {
            Judged::Refused(rule) => {
                let fits = !(rule.is_broken)(config);
                checks.that_both(rule.key, rule.other, fits, rule.rule);
            }
            Judged::RefusedEach(wrong) => {
                let mut wrong = wrong(config);
                wrong.retain(|(key, _)| !checks.knows(key));
                for (key, rule) in wrong {
                    checks.refuse(&key, rule);
                }
            }
            Judged::RefusedAtStart | Judged::Warned(_) | Judged::WarnedAtStart => {}
        }
    }
}

/// The combinations that a start warns of when the server listens.
pub(crate) fn warned(start: &Start) -> impl Iterator<Item = Combination> {
    COMBINATIONS
        .into_iter()
        .filter(|combination| match combination.judged {
            Judged::Warned(is_so) => is_so(start),
            Judged::Refused(_)
            | Judged::RefusedEach(_)
            | Judged::RefusedAtStart
            | Judged::WarnedAtStart => false,
        })
}

/// The table for operators, in Markdown.
#[cfg(test)]
pub(super) fn table() -> String {
    let rows = COMBINATIONS.map(|Combination { what, why, judged }| {
        let does = match judged {
            Judged::Refused(_) | Judged::RefusedEach(_) => {
                "refuses to start, and `countersign config check` says so"
            }
            Judged::RefusedAtStart => "refuses to start",
            Judged::Warned(_) | Judged::WarnedAtStart => "warns at the start",
        };
        format!("| {what} | {does} | {why} |\n")
    });
    format!(
        "| what is so | the server | because |\n|---|---|---|\n{}",
        rows.concat()
    )
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}
