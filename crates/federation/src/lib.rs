//! Providers of sign-ins: Google, Apple, Kakao, Naver and any OpenID Connect issuer, each with all
//! that is checked of what it says.

mod apple;
mod cached;
mod client_secret;
mod config;
mod config_error;
mod connection;
mod failure;
mod federation;
mod id_token;
mod json;
mod jws;
mod keys;
mod metadata;
mod naver;
mod network;
mod notifications;
mod preset;
mod profile;
mod sign_in;
mod token_endpoint;
mod url;
mod userinfo;

pub use config::ProviderConfig;
pub use config_error::ConfigError;
pub use federation::Federation;
