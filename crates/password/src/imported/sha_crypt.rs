//! SHA-crypt (Drepper, 2008): what `/etc/shadow` holds.

use ::sha_crypt::{Params, sha256_crypt, sha512_crypt};
use zeroize::Zeroizing;

use super::cost::{Cost, Function};
use super::text;

const ROUNDS: std::ops::RangeInclusive<u32> = 1_000..=1_000_000;
const DEFAULT_ROUNDS: u32 = 5_000;
const MAX_SALT: usize = 16;
/// libxcrypt takes no longer ones. The time grows with the length.
const MAX_PASSWORD: usize = 511;
const WRONG_COST: &str = "the rounds of SHA-crypt must be 1000 to 1000000";
const MALFORMED: &str = "must be SHA-crypt as $5$ or $6$, perhaps rounds=…$, a salt of at most 16 \
                         signs, $ and the digest";

#[derive(Clone)]
pub(crate) struct ShaCrypt {
    hash: Hash,
    rounds: u32,
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha512,
}

impl ShaCrypt {
    /// Reads `$5$…` and `$6$…`. `None` if it begins otherwise.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, &'static str>> {
        if let Some(rest) = text.strip_prefix("$5$") {
            return Some(Self::read(Hash::Sha256, rest));
        }
        let rest = text.strip_prefix("$6$")?;
        Some(Self::read(Hash::Sha512, rest))
    }

    fn read(hash: Hash, rest: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = rest.split('$').collect();
        let (rounds, salt, digest) = match parts[..] {
            [salt, digest] => (DEFAULT_ROUNDS, salt, digest),
            [rounds, salt, digest] => {
                let rounds = rounds.strip_prefix("rounds=").ok_or(MALFORMED)?;
                let rounds = text::number_within(rounds, ROUNDS).ok_or(WRONG_COST)?;
                (rounds, salt, digest)
            }
            _ => return Err(MALFORMED),
        };
        if salt.len() > MAX_SALT || !salt.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(MALFORMED);
        }
        let digest = text::crypt(digest).and_then(|stored| hash.in_order(&stored));
        Ok(Self {
            hash,
            rounds,
            params: Params::new(rounds).map_err(|_| WRONG_COST)?,
            salt: salt.as_bytes().to_vec(),
            digest: digest.ok_or(MALFORMED)?,
        })
    }

    /// No longer password matches, as none did.
    pub(crate) fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let taken = &password[..password.len().min(MAX_PASSWORD)];
        let output = match self.hash {
            Hash::Sha256 => sha256_crypt(taken, &self.salt, self.params).to_vec(),
            Hash::Sha512 => sha512_crypt(taken, &self.salt, self.params).to_vec(),
        };
        let mut output = Zeroizing::new(output);
        if taken.len() < password.len() {
            output.clear();
        }
        output
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }

    pub(crate) fn cost(&self) -> Cost {
        let function = match self.hash {
            Hash::Sha256 => Function::Sha256Crypt,
            Hash::Sha512 => Function::Sha512Crypt,
        };
        Cost::new(function, u64::from(self.rounds))
    }
}

impl Hash {
    /// The digest in its own order: it is stored in threes, from its three parts
    /// in turn, each time beginning with another, and each three backwards.
    fn in_order(self, stored: &[u8]) -> Option<Vec<u8>> {
        let (part, rest): (usize, &[usize]) = match self {
            Self::Sha256 => (10, &[30, 31]),
            Self::Sha512 => (21, &[63]),
        };
        // How far the threes are turned, in each of three in a row.
        let turns = match self {
            Self::Sha256 => [0, 2, 1],
            Self::Sha512 => [0, 1, 2],
        };
        let threes = (0..part).flat_map(|at| {
            let turn = turns[at % 3];
            [2, 1, 0].map(|place| at + part * ((place + turn) % 3))
        });
        let places: Vec<usize> = threes.chain(rest.iter().copied()).collect();
        if stored.len() != places.len() {
            return None;
        }
        let mut digest = vec![0; stored.len()];
        for (byte, place) in stored.iter().zip(places) {
            digest[place] = *byte;
        }
        Some(digest)
    }
}
