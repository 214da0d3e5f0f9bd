//! Where randomness comes from.

/// A source of unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random ones, fit for keys.
    fn fill(&self, bytes: &mut [u8]);
}
