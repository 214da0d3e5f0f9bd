//! What a server can be told by its configuration, and telling it otherwise.

use std::fs;

use toml::Value;

use crate::settings::Settings;
use crate::world::{World, config_path};

impl World {
    /// Changes a setting, `section.key`, of a replica, which takes it at its next
    /// start.
    ///
    /// # Panics
    /// If its configuration file cannot be read or written.
    pub fn change_setting(&self, replica: usize, path: &str, value: impl Into<Value>) {
        let file = config_path(self.directory(), replica);
        let text = fs::read_to_string(&file).expect("the configuration is read");
        let mut settings = Settings::parse(&text);
        settings.set(path, value);
        fs::write(&file, settings.to_toml()).expect("the configuration is written");
    }
}
