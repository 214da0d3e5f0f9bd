//! Guarantee 12: a revocation is seen everywhere within the bound, and stays:
//! after gaps, restarts and cleaning.
//!
//! The default run holds one gap of more than two minutes, all its variants
//! within the same wait. The longest gaps run by hand:
//!
//! ```text
//! cargo test -p countersign-tests --test guarantee_12_revocations -- --ignored
//! ```

mod gaps;
mod restarts;
mod seen_everywhere;
mod whole_accounts;
