//! The HTTP edge of Countersign: REST, cookies, discovery and forward authentication. It holds no state, and speaks to
//! the service through `countersign-client` alone, as a caller with the role `gateway`; its pages of user management, where
//! there are any, as one with the role `operator`.

mod brand;
mod claims_json;
mod context;
mod cookies;
mod credentials;
mod discovery;
mod forward_auth;
mod gateway;
mod identity;
mod input;
mod notifications;
mod oauth;
mod origin;
mod pages;
mod problem;
mod rest;
mod return_to;
mod session;
mod settings;
mod state;
mod token_routes;
mod tokens;
mod url;
mod verify;

pub use brand::{Brand, BrandError, Color, Logo};
/// The way to the service.
pub use countersign_client as client;
pub use gateway::Gateway;
pub use identity::{Holder, IDENTITY_HEADERS, identity_values, with_identity};
pub use ipnet::IpNet;
pub use settings::{Operators, PublicUrl, PublicUrlError, Settings};
pub use verify::VerifyForGateway;
