//! A hash as it is stored, the PHC string, read with suspicion: what it asks
//! for is spent at the next sign-in.

use argon2::password_hash::phc::{Output, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHash as Phc, Version};
use countersign_domain::model::PasswordHash;
use countersign_domain::ports::Random;

use crate::padding::Kind;
use crate::parameters::Argon2Parameters;

/// The most memory that a stored hash may ask for, in KiB, unless new hashes
/// ask for more. If that is lowered from above this bound, older hashes between
/// the two count as unreadable.
const MAX_MEMORY_KIB: u32 = 262_144;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// A stored hash, or one made up in its place.
#[derive(Clone)]
pub(crate) struct StoredHash {
    /// The function that made it.
    pub(crate) argon2: Argon2<'static>,
    /// What the function costs.
    pub(crate) kind: Kind,
    /// Its salt.
    pub(crate) salt: Salt,
    /// What the function gave.
    pub(crate) output: Output,
}

impl StoredHash {
    /// A hash that no password is known for.
    pub(crate) fn decoy(parameters: Argon2Parameters, random: &dyn Random) -> Self {
        let mut output = [0; Argon2Parameters::OUTPUT_BYTES];
        random.fill(&mut output);
        Self {
            argon2: parameters.argon2id(),
            kind: Kind::of(parameters),
            salt: new_salt(random),
            output: Output::new(&output).expect("32 bytes are an output"),
        }
    }

    /// Reads a PHC string of Argon2i, Argon2d or Argon2id.
    pub(crate) fn parse(
        hash: &PasswordHash,
        today: Argon2Parameters,
    ) -> Result<Self, &'static str> {
        const NOT_ARGON2: &str = "the stored hash is not a PHC string of Argon2";
        let phc = Phc::new(hash.expose()).map_err(|_| NOT_ARGON2)?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).map_err(|_| NOT_ARGON2)?;
        // Strings without a version are from before there were two.
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.map_err(|_| NOT_ARGON2)?;
        let params = Params::try_from(&phc).map_err(|_| NOT_ARGON2)?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(NOT_ARGON2);
        };
        if params.m_cost() > MAX_MEMORY_KIB.max(today.memory_kib()) {
            return Err("the stored hash asks for more memory than is allowed");
        }
        if params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
            return Err("the stored hash asks for more passes or lanes than are allowed");
        }
        Ok(Self {
            kind: Kind::new(algorithm, version, &params),
            argon2: Argon2::new(algorithm, version, params),
            salt,
            output,
        })
    }

    /// Whether it was made otherwise than new hashes are.
    pub(crate) fn is_outdated(&self, phc: &PasswordHash, today: Argon2Parameters) -> bool {
        !phc.expose().starts_with(&prefix(today))
            || self.salt.len() != Salt::RECOMMENDED_LENGTH
            || self.output.len() != Argon2Parameters::OUTPUT_BYTES
    }
}

/// The PHC string of a new hash.
pub(crate) fn to_phc(parameters: Argon2Parameters, salt: &Salt, output: &Output) -> PasswordHash {
    PasswordHash::new(format!("{}{salt}${output}", prefix(parameters)))
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
