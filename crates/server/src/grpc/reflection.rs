//! Reflection: what the services are, for clients without the contract. Its
//! descriptions are large, so that all cores share them.

use countersign_proto::FILE_DESCRIPTOR_SET;
use tonic_reflection::server::{Builder, v1, v1alpha};

/// Both versions of the service.
pub(crate) struct Reflection<V1, V1Alpha>
where
    V1: v1::ServerReflection,
    V1Alpha: v1alpha::ServerReflection,
{
    pub(crate) v1: v1::ServerReflectionServer<V1>,
    pub(crate) v1alpha: v1alpha::ServerReflectionServer<V1Alpha>,
}

/// Describes the contract and health.
pub(crate) fn describe() -> Reflection<impl v1::ServerReflection, impl v1alpha::ServerReflection> {
    let builder = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = builder().build_v1();
    let v1alpha = builder().build_v1alpha();
    Reflection {
        v1: v1.expect("the descriptors are generated"),
        v1alpha: v1alpha.expect("the descriptors are generated"),
    }
}
