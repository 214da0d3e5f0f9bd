//! A hash as it is stored, ours or another system's, read with suspicion: what it
//! asks for is spent at the next sign-in.

use argon2::password_hash::phc::{Output, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHash as Phc, Version};
use countersign_domain::model::{HashFormat, ImportedHash, PasswordHash};
use countersign_domain::ports::Random;

use crate::imported::Imported;
use crate::imported::bcrypt::Bcrypt;
use crate::imported::digest::{Salted, SaltedDigest};
use crate::kind::Kind;
use crate::parameters::Argon2Parameters;

/// The most memory that a stored hash may ask for, in KiB, unless new hashes
/// ask for more. If that is lowered from above this bound, older hashes between
/// the two count as unreadable.
const MAX_MEMORY_KIB: u32 = 262_144;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// The longest that is looked at: 128 bytes of salt and 64 of digest, spelled out.
const MAX_LENGTH: usize = 512;

/// What a digest begins with that was wrapped in Argon2id.
const WRAPPED: &str = "$argon2id-of$";

/// A stored hash, or one made up in its place.
#[derive(Clone)]
pub(crate) enum StoredHash {
    /// By Argon2.
    Argon2(Box<Argon2Hash>),
    /// By another function.
    Imported(Imported),
}

/// A hash by Argon2.
#[derive(Clone)]
pub(crate) struct Argon2Hash {
    /// The digest that was hashed, if it was one of the password.
    pub(crate) of: Option<Salted>,
    /// The function that made it.
    pub(crate) argon2: Argon2<'static>,
    /// What the function costs.
    pub(crate) kind: Kind,
    /// Its salt.
    pub(crate) salt: Salt,
    /// What the function gave.
    pub(crate) output: Output,
    /// Whether it was made otherwise than new hashes are.
    pub(crate) is_outdated: bool,
}

impl StoredHash {
    /// Reads a PHC string of Argon2i, Argon2d or Argon2id, a digest that was
    /// wrapped, or a hash that another system made.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub(crate) fn parse(text: &str, today: Argon2Parameters) -> Result<Self, &'static str> {
        if text.len() > MAX_LENGTH {
            return Err("must be at most 512 bytes long");
        }
        if let Some(rest) = text.strip_prefix(WRAPPED) {
            let wrapped = Argon2Hash::wrapped(rest, today)?;
            return Ok(Self::Argon2(Box::new(wrapped)));
        }
        // Django's begins with the name of its own.
        let phc = text.strip_prefix("argon2").unwrap_or(text);
        if phc.starts_with("$argon2") {
            return Ok(Self::Argon2(Box::new(Argon2Hash::parse(phc, today)?)));
        }
        Imported::parse(text).map(Self::Imported)
    }

    /// What it costs.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Argon2(hash) => hash.kind,
            Self::Imported(hash) => Kind::Imported {
                cost: hash.cost(),
                memory_kib: match hash {
                    Imported::Scrypt(scrypt) => scrypt.memory_kib(),
                    _ => 0,
                },
            },
        }
    }

    /// Whether it was made otherwise than new hashes are.
    pub(crate) fn is_outdated(&self) -> bool {
        match self {
            Self::Argon2(hash) => hash.is_outdated,
            Self::Imported(_) => true,
        }
    }
}

impl Argon2Hash {
    /// A hash that no password is known for.
    pub(crate) fn decoy(parameters: Argon2Parameters, random: &dyn Random) -> Self {
        let mut output = [0; Argon2Parameters::OUTPUT_BYTES];
        random.fill(&mut output);
        Self {
            of: None,
            argon2: parameters.argon2id(),
            kind: Kind::of(parameters),
            salt: new_salt(random),
            output: Output::new(&output).expect("32 bytes are an output"),
            is_outdated: false,
        }
    }

    fn parse(text: &str, today: Argon2Parameters) -> Result<Self, &'static str> {
        const NOT_ARGON2: &str = "must be a PHC string of Argon2, such as $argon2id$v=19$m=…,t=…,\
                                  p=…$, a salt, $ and a hash";
        let phc = Phc::new(text).map_err(|_| NOT_ARGON2)?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).map_err(|_| NOT_ARGON2)?;
        // Strings without a version are from before there were two.
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.map_err(|_| NOT_ARGON2)?;
        let params = Params::try_from(&phc).map_err(|_| NOT_ARGON2)?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(NOT_ARGON2);
        };
        if params.m_cost() > MAX_MEMORY_KIB.max(today.memory_kib()) {
            return Err("the memory of Argon2 must be at most 262144 KiB");
        }
        if params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
            return Err("the passes of Argon2 must be at most 16, and its lanes too");
        }
        let is_outdated = !text.starts_with(&prefix(today))
            || salt.len() != Salt::RECOMMENDED_LENGTH
            || output.len() != Argon2Parameters::OUTPUT_BYTES;
        Ok(Self {
            of: None,
            kind: Kind::new(algorithm, version, &params),
            argon2: Argon2::new(algorithm, version, params),
            salt,
            output,
            is_outdated,
        })
    }

    fn wrapped(rest: &str, today: Argon2Parameters) -> Result<Self, &'static str> {
        const NOT_WRAPPED: &str = "must be $argon2id-of$, how the digest was made, $, its salt \
                                   and what Argon2id made of it";
        let (of, phc) = rest.split_once("$argon2id$").ok_or(NOT_WRAPPED)?;
        let of = Salted::from_text(of).ok_or(NOT_WRAPPED)?;
        Ok(Self {
            of: Some(of),
            is_outdated: true,
            ..Self::parse(&format!("$argon2id${phc}"), today)?
        })
    }
}

/// Reads a hash that another system made.
pub(crate) fn import(
    format: HashFormat,
    text: &str,
    today: Argon2Parameters,
) -> Result<ImportedHash, &'static str> {
    let stored = |hash: String| ImportedHash {
        hash: PasswordHash::new(hash),
        is_digest: false,
    };
    let digest = |digest: &SaltedDigest| ImportedHash {
        hash: PasswordHash::new(digest.to_text()),
        is_digest: true,
    };
    match format {
        HashFormat::Auto => Ok(match StoredHash::parse(text, today)? {
            StoredHash::Imported(Imported::Digest(read)) => digest(&read),
            _ => stored(text.to_owned()),
        }),
        HashFormat::Digest(function, place) => {
            SaltedDigest::salted(function, place, text).map(|read| digest(&read))
        }
        HashFormat::BcryptOf(function, encoding) => {
            Bcrypt::of_digest(function, encoding, text)?;
            Ok(stored(Bcrypt::own_text(function, encoding, text)))
        }
    }
}

/// The PHC string of a new hash.
pub(crate) fn to_phc(parameters: Argon2Parameters, salt: &Salt, output: &Output) -> PasswordHash {
    PasswordHash::new(format!("{}{salt}${output}", prefix(parameters)))
}

/// What is stored of a digest, of which Argon2id made `phc`.
pub(crate) fn to_wrapped(of: &Salted, phc: &PasswordHash) -> PasswordHash {
    PasswordHash::new(format!("{WRAPPED}{of}{}", phc.expose()))
}

/// A salt of 16 random bytes.
pub(crate) fn new_salt(random: &dyn Random) -> Salt {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    random.fill(&mut salt);
    Salt::new(&salt).expect("16 bytes are a salt")
}

fn prefix(parameters: Argon2Parameters) -> String {
    format!(
        "$argon2id$v=19$m={},t={},p={}$",
        parameters.memory_kib(),
        parameters.passes(),
        parameters.lanes()
    )
}
