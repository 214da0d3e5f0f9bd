//! The messages and stubs of the Countersign contract, generated from `proto/`
//! by `cargo regenerate` and committed, so that building needs no `protoc`.

mod codec;
mod redacted;
mod rpcs;

pub use codec::{SmallBuffers, buffer_settings};
pub use rpcs::{Idempotency, RPCS, Rpc};

/// Package `countersign.v1`; the comments of the contract are its documentation.
#[expect(
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::large_enum_variant,
    reason = "generated: the contract documents it, and its style is the generator's"
)]
pub mod v1 {
    include!("gen/countersign.v1.rs");
}

/// The part of Envoy's external authorization that the server answers.
#[expect(
    unused_qualifications,
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated: the contract documents it, and its style is the generator's"
)]
pub mod envoy {
    pub mod config {
        pub mod core {
            pub mod v3 {
                include!("gen/envoy.config.core.v3.rs");
            }
        }
    }
    pub mod service {
        pub mod auth {
            pub mod v3 {
                include!("gen/envoy.service.auth.v3.rs");
            }
        }
    }
    pub mod r#type {
        pub mod v3 {
            include!("gen/envoy.type.v3.rs");
        }
    }
}

/// What Envoy's contract takes from Google's.
#[expect(missing_docs, reason = "modules that are packages")]
pub mod google {
    pub mod rpc {
        include!("gen/google.rpc.rs");
    }
}

/// The descriptors of the contract and of all that it imports, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/countersign.v1.bin");

/// The `domain` of every `google.rpc.ErrorInfo` of this service.
pub const ERROR_DOMAIN: &str = "countersign";

/// Metadata by which a call is refused whose API key is nobody's, also by a server that has no callers yet and lets
/// everybody on its machine in. A gateway sets it where it hands on the key of a stranger.
pub const KEY_MUST_BE_KNOWN: &str = "x-countersign-key-must-be-known";
