//! How handlers get at the identity: from a tonic request, and in axum as an
//! extractor, with the error answers that belong to it.

use http::Extensions;
use tonic::Status;

use crate::answer::Denial;
use crate::claims::Identity;
use crate::protect::Anonymous;

/// The identity in a tonic request.
pub trait RequestExt {
    /// The person for whom the request is served.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the request came without a token through a layer that
    /// [allows it](crate::ProtectLayer::allow_anonymous). INTERNAL if no
    /// [`ProtectLayer`](crate::ProtectLayer) protects this service: that is a
    /// fault of the server, not of the caller.
    fn identity(&self) -> Result<&Identity, Status>;

    /// The person for whom the request is served, or `None` if it came without
    /// a token through a layer that
    /// [allows it](crate::ProtectLayer::allow_anonymous).
    ///
    /// # Errors
    /// INTERNAL if no [`ProtectLayer`](crate::ProtectLayer) is in front of this
    /// service: then nobody looked whether there is a token.
    fn optional_identity(&self) -> Result<Option<&Identity>, Status>;
}

impl<T> RequestExt for tonic::Request<T> {
    fn identity(&self) -> Result<&Identity, Status> {
        required(self.extensions()).map_err(|denial| denial.status())
    }

    fn optional_identity(&self) -> Result<Option<&Identity>, Status> {
        optional(self.extensions()).map_err(|denial| denial.status())
    }
}

fn required(extensions: &Extensions) -> Result<&Identity, Denial> {
    optional(extensions)?.ok_or(Denial::NoToken)
}

/// What the layer found. Without a layer "no identity" would be a guess.
fn optional(extensions: &Extensions) -> Result<Option<&Identity>, Denial> {
    let identity = extensions.get::<Identity>();
    if identity.is_none() && extensions.get::<Anonymous>().is_none() {
        return Err(Denial::NotProtected);
    }
    Ok(identity)
}

#[cfg(feature = "axum")]
mod axum {
    use axum::extract::{FromRequestParts, OptionalFromRequestParts};
    use axum::response::{IntoResponse, Response};
    use http::request::Parts;

    use super::{optional, required};
    use crate::acr::InsufficientAuthentication;
    use crate::answer::Denial;
    use crate::claims::{Identity, InsufficientScope};

    /// Why a handler that wants an [`Identity`], or an `Option` of one, cannot
    /// have it. Turns into the answer that the layer itself gives.
    #[derive(Debug, Clone, thiserror::Error)]
    #[error("{}", .0.detail())]
    pub struct IdentityRejection(Denial);

    /// The person for whom the request is served.
    ///
    /// Rejected with 401 if the request came without a token through a layer
    /// that [allows it](crate::ProtectLayer::allow_anonymous), and with 500 if
    /// the route is not behind a [`ProtectLayer`](crate::ProtectLayer).
    impl<S: Sync> FromRequestParts<S> for Identity {
        type Rejection = IdentityRejection;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, IdentityRejection> {
            let identity = required(&parts.extensions).map_err(IdentityRejection)?;
            Ok(identity.clone())
        }
    }

    /// `None` if the request came without a token through a layer that
    /// [allows it](crate::ProtectLayer::allow_anonymous).
    ///
    /// Rejected with 500 if the route is not behind a
    /// [`ProtectLayer`](crate::ProtectLayer): then nobody looked for a token.
    impl<S: Sync> OptionalFromRequestParts<S> for Identity {
        type Rejection = IdentityRejection;

        async fn from_request_parts(
            parts: &mut Parts,
            _: &S,
        ) -> Result<Option<Self>, IdentityRejection> {
            let identity = optional(&parts.extensions).map_err(IdentityRejection)?;
            Ok(identity.cloned())
        }
    }

    impl IntoResponse for IdentityRejection {
        fn into_response(self) -> Response {
            self.0.problem().into_response()
        }
    }

    impl IntoResponse for InsufficientScope {
        fn into_response(self) -> Response {
            Denial::from(self).problem().into_response()
        }
    }

    impl IntoResponse for InsufficientAuthentication {
        fn into_response(self) -> Response {
            Denial::from(self).problem().into_response()
        }
    }
}

#[cfg(feature = "axum")]
pub use self::axum::IdentityRejection;
