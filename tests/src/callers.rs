//! Callers with API keys, made as an operator makes them.

use crate::details::reason;
use crate::gateway::Gateway;
use crate::wait::{PATIENCE, eventually};
use crate::world::World;

impl World {
    /// Makes a caller with these roles, and waits until the first replica knows
    /// it and refuses whoever has no key.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn new_caller(&self, name: &str, roles: &[&str]) -> Gateway {
        let key = self.new_key(name, roles).await;
        let stranger = self.gateway();
        let caller = self.gateway().with_key(&key);
        let is_known = || async {
            let is_closed = reason(&stranger.validate("garbage").await) == "CALLER_UNKNOWN";
            let is_open = reason(&caller.validate("garbage").await) != "CALLER_UNKNOWN";
            (is_closed && is_open).then_some(())
        };
        eventually("the caller is known", PATIENCE, is_known).await;
        caller
    }

    /// Makes a caller with these roles, and tells its key.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn new_key(&self, name: &str, roles: &[&str]) -> String {
        let mut arguments = vec!["caller", "new", "--name", name];
        for role in roles {
            arguments.extend(["--role", role]);
        }
        let made = self.replica(0).run(&arguments).await;
        assert_eq!(made.code, 0, "{}", made.stderr);
        let key = made.stdout.trim();
        assert!(
            key.starts_with("csk_") && !key.contains(char::is_whitespace),
            "the key alone"
        );
        key.to_owned()
    }
}
