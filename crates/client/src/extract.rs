//! How handlers get at the identity: from a tonic request, and in axum as an
//! extractor, with the error answers that belong to it.

use tonic::Status;

use crate::answer::Denial;
use crate::claims::Identity;

/// The identity in a tonic request.
pub trait RequestExt {
    /// The person for whom the request is served.
    ///
    /// # Errors
    /// INTERNAL if no [`ProtectLayer`](crate::ProtectLayer) protects this
    /// service: that is a fault of the server, not of the caller.
    fn identity(&self) -> Result<&Identity, Status>;
}

impl<T> RequestExt for tonic::Request<T> {
    fn identity(&self) -> Result<&Identity, Status> {
        let identity = self.extensions().get();
        identity.ok_or_else(|| Denial::NotProtected.status())
    }
}

#[cfg(feature = "axum")]
mod axum {
    use axum::extract::FromRequestParts;
    use axum::response::{IntoResponse, Response};
    use http::request::Parts;

    use crate::answer::Denial;
    use crate::claims::{Identity, InsufficientScope};

    /// The route is not behind a [`ProtectLayer`](crate::ProtectLayer), but its
    /// handler wants an [`Identity`]. Answered with 500.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
    #[error("the handler wants an identity but is not protected")]
    pub struct NotProtected;

    impl<S: Sync> FromRequestParts<S> for Identity {
        type Rejection = NotProtected;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotProtected> {
            parts.extensions.get().cloned().ok_or(NotProtected)
        }
    }

    impl IntoResponse for NotProtected {
        fn into_response(self) -> Response {
            Denial::NotProtected.problem().into_response()
        }
    }

    impl IntoResponse for InsufficientScope {
        fn into_response(self) -> Response {
            Denial::from(self).problem().into_response()
        }
    }
}

#[cfg(feature = "axum")]
pub use self::axum::NotProtected;
