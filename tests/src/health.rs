//! What a replica says of its health.

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::gateway::Gateway;

/// The services whose health is told; the server itself is the empty name.
pub const SERVICES: [&str; 3] = [
    "countersign.v1.AuthService",
    "countersign.v1.SessionService",
    "countersign.v1.VerificationService",
];

impl Gateway {
    /// Whether a service says that it serves.
    ///
    /// # Panics
    /// If nothing is said.
    pub async fn is_serving(&self, service: &str) -> bool {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let answer = HealthClient::new(self.line()).check(request).await;
        let answer = answer.expect("health is always told").into_inner();
        answer.status() == ServingStatus::Serving
    }
    /// Whether the replica says that it takes calls; no if it says nothing.
    pub async fn says_that_it_serves(&self) -> bool {
        let request = HealthCheckRequest::default();
        let answer = HealthClient::new(self.line()).check(request).await;
        answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
    }
}
