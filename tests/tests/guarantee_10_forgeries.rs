//! Guarantee 10: no forged token passes, over the wire. Families of forgeries are
//! made of genuine tokens by chance, always the same; among each batch of them is
//! a genuine one, which passes. Families by their rules are in
//! `crates/token/tests/forgeries`.
//!
//! The long form, a million of them:
//! `cargo test -p countersign-tests --test guarantee_10_forgeries -- --ignored`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_tests::{Backend, Gateway, Tally, World, on_a_backend, say};
use futures_util::future::join_all;

/// The most that one call asks about, one of them genuine.
const BATCH: usize = 256;

#[test]
fn twenty_thousand_forgeries_are_rejected() {
    on_a_backend(Backend::Sqlite, |backend| forge(backend, 20_000, MAIN));
}

#[test]
fn twenty_thousand_forgeries_of_a_token_profile_are_rejected() {
    on_a_backend(Backend::Sqlite, |backend| forge(backend, 20_000, PROFILE));
}

#[test]
#[ignore = "a million forgeries: minutes"]
fn a_million_forgeries_are_rejected() {
    on_a_backend(Backend::Sqlite, |backend| forge(backend, 1_000_000, MAIN));
}

/// The algorithm of genuine tokens: that of the main form, or of a token profile.
const MAIN: &str = "EdDSA";
const PROFILE: &str = "HS256";

/// A server, which has a token profile with a secret if the tokens are to be of one.
async fn start(backend: Backend, algorithm: &str, secret: &str) -> World {
    let mut world = World::on(backend).replicas(1);
    if algorithm == PROFILE {
        for (setting, value) in [
            ("SECRET", secret),
            ("CLAIMS", "id=user_id,roles=roles,scope=scope"),
            ("CONSTANTS", "type=access"),
            ("AUDIENCES", "countersign"),
            ("GROUPS", "default"),
        ] {
            let name = format!("COUNTERSIGN__TOKENS__PROFILES__OLD__{setting}");
            world = world.variable_at(0, &name, value);
        }
    }
    world.start().await
}

async fn forge(backend: Backend, forgeries: usize, algorithm: &'static str) {
    let world = start(backend, algorithm, "the secret of the old server").await;
    let other = start(backend, algorithm, "the secret of another server").await;
    let mina = world.sign_up().await;
    let mut genuine = Vec::new();
    for _ in 0..4 {
        genuine.push(mina.sign_in().await);
    }
    let foreign = other.sign_up().await.sign_in().await.access_token;
    let mut forger = Forger {
        genuine: genuine.iter().map(|t| t.access_token.clone()).collect(),
        algorithm,
        others: vec![foreign, genuine[0].refresh_token.clone()],
        chance: Chance(0x0123_4567_89ab_cdef),
        made: BTreeMap::new(),
    };
    let gateways = world.gateways(4);
    let (mut answers, mut controls) = (Tally::default(), Tally::default());
    let mut left = forgeries;
    while left > 0 {
        let batches = gateways.iter().map(|gateway| {
            let size = left.min(BATCH - 1);
            left -= size;
            let tokens: Vec<_> = (0..size).map(|_| forger.forge()).collect();
            ask(gateway, tokens, forger.genuine[0].clone())
        });
        let batches: Vec<_> = batches.collect();
        for (of_forgeries, control) in join_all(batches).await {
            answers.add_all(&of_forgeries);
            controls.add(&control);
        }
    }
    let (log, accepted) = (world.log().text(0), answers.count("VALID"));
    say!(
        "guarantee 10, {algorithm}: forged tokens accepted {accepted} of {}: {answers}; genuine ones among \
         them: {controls}; by family: {:?}",
        answers.total(),
        forger.made,
    );
    assert_eq!(accepted, 0);
    assert_eq!(answers.total(), forgeries);
    controls.assert_only(&["VALID"]);
    assert!(!log.contains("panic"), "a panic is in the log");
}

/// What is said of forgeries, and of a genuine token after them.
async fn ask(gateway: &Gateway, mut tokens: Vec<String>, genuine: String) -> (Tally, String) {
    tokens.push(genuine);
    let mut words = gateway.judge_all(&tokens).await;
    let control = words.pop().expect("an answer");
    let mut tally = Tally::default();
    words.iter().for_each(|word| tally.add(word));
    (tally, control)
}

struct Forger {
    genuine: Vec<String>,
    /// Their algorithm.
    algorithm: &'static str,
    /// Tokens of another server and of another class.
    others: Vec<String>,
    chance: Chance,
    /// How many of each family.
    made: BTreeMap<&'static str, usize>,
}

impl Forger {
    /// A token that was never issued.
    fn forge(&mut self) -> String {
        loop {
            let (family, forged) = self.try_to_forge();
            if !self.genuine.contains(&forged) {
                *self.made.entry(family).or_default() += 1;
                return forged;
            }
        }
    }

    fn try_to_forge(&mut self) -> (&'static str, String) {
        let token = self.pick_genuine();
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let part = self.chance.below(3);
        match self.chance.below(9) {
            0 => {
                let mut bytes = decoded(&parts[part]);
                let at = self.chance.below(bytes.len());
                bytes[at] ^= 1 << self.chance.below(8);
                parts[part] = encoded(&bytes);
                ("a bit", parts.join("."))
            }
            1 => {
                let mut letters: Vec<char> = token.chars().collect();
                let at = self.chance.below(letters.len());
                letters[at] = char::from(33 + self.chance.below(94) as u8);
                ("a letter", letters.into_iter().collect())
            }
            2 => {
                let other = match self.chance.below(2) {
                    0 => self.others[0].clone(),
                    _ => self.pick_genuine(),
                };
                let theirs: Vec<&str> = other.split('.').collect();
                parts[part] = theirs[self.chance.below(theirs.len())].to_owned();
                ("a part of another", parts.join("."))
            }
            3 => {
                let header = self.hostile_header(&parts[0]);
                parts[0] = encoded(header.as_bytes());
                if self.chance.below(3) == 0 {
                    parts[2].clear();
                }
                ("a header", parts.join("."))
            }
            4 => {
                parts[1] = encoded(self.greedy_claims(&parts[1]).as_bytes());
                ("claims", parts.join("."))
            }
            5 => {
                let bytes: Vec<u8> = (0..64).map(|_| self.chance.below(256) as u8).collect();
                parts[2] = encoded(&bytes);
                ("a signature", parts.join("."))
            }
            6 => {
                let end = self.chance.below(token.len());
                ("cut off", token[..end].to_owned())
            }
            7 => {
                let other = self.chance.below(self.others.len());
                ("another class or server", self.others[other].clone())
            }
            _ => {
                let more = ["=", ".", " ", "\n", "\0", ".e30", "A"];
                let more = more[self.chance.below(more.len())];
                let at = self.chance.below(token.len() + 1);
                let (before, after) = token.split_at(at);
                ("something more", format!("{before}{more}{after}"))
            }
        }
    }

    fn pick_genuine(&mut self) -> String {
        let one = self.chance.below(self.genuine.len());
        self.genuine[one].clone()
    }

    /// The header with another algorithm or another key in it.
    fn hostile_header(&mut self, header: &str) -> String {
        let header = String::from_utf8(decoded(header)).expect("JSON");
        let algorithms = [
            "none", "None", "NONE", "nOnE", "HS256", "HS512", "RS256", "ES256", "PS256", "EdDSA",
            "", "eddsa",
        ];
        let algorithm = algorithms[self.chance.below(algorithms.len())];
        let members = [
            "\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}",
            "\"jku\":\"https://attacker.example/keys\"",
            "\"x5u\":\"https://attacker.example/x\"",
            "\"x5c\":[\"AA\"]",
            "\"crit\":[\"exp\"]",
            "\"b64\":false",
            "\"kid\":\"../../dev/null\"",
            "\"kid\":\"' OR 1=1 --\"",
            "\"alg\":\"none\"",
        ];
        let member = members[self.chance.below(members.len())];
        match self.chance.below(3) {
            0 => header.replace(self.algorithm, algorithm),
            1 => header.replacen('{', &format!("{{{member},"), 1),
            _ => {
                let more = format!(",{member}}}");
                header
                    .replace(self.algorithm, algorithm)
                    .replacen('}', &more, 1)
            }
        }
    }

    /// Claims that promise more than those that were signed.
    fn greedy_claims(&mut self, claims: &str) -> String {
        let claims = String::from_utf8(decoded(claims)).expect("JSON");
        let members = [
            "\"exp\":4102444800",
            "\"sub\":\"somebody\"",
            "\"scope\":\"profile admin\"",
            "\"roles\":[\"operator\"]",
            "\"aud\":[\"everybody\"]",
            "\"acr\":\"aal2\"",
        ];
        let member = members[self.chance.below(members.len())];
        match self.chance.below(2) {
            0 => claims.replacen('{', &format!("{{{member},"), 1),
            _ => format!("{},{member}}}", claims.trim_end_matches('}')),
        }
    }
}

/// Numbers that look random and are always the same (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is below")
    }
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("base64url")
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
