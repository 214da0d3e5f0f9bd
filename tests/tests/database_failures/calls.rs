//! Somebody's calls while nothing can be written, and after it.

use countersign_proto::v1;
use countersign_tests::{
    PASSWORD, Person, Tally, World, by_token, email, generation, good_is_valid, reason,
};

/// What is said of calls that could not be carried out.
pub(crate) const DOWN: &str = "DEPENDENCY_UNAVAILABLE";

/// Somebody who was signed in before, and what he holds.
pub(crate) struct Calls {
    person: Person,
    tokens: v1::Tokens,
    /// Addresses proved meanwhile, with their proofs.
    proved: Vec<(String, String)>,
}

impl Calls {
    /// Signs somebody up and in.
    pub(crate) async fn new(world: &World) -> Self {
        let person = world.sign_up().await;
        let tokens = person.sign_in().await;
        Self {
            person,
            tokens,
            proved: Vec::new(),
        }
    }

    /// Tries everything that writes.
    pub(crate) async fn writes(&mut self, world: &World, outcomes: &mut Tally) {
        let (person, tokens) = (&self.person, &self.tokens);
        let gateway = &person.gateway;
        let address = world.new_email();
        let proof = gateway.prove(email(&address), v1::Purpose::SignUp).await;
        let proof = proof.expect("it takes no database");
        let results = [
            person.try_password(PASSWORD).await.map(drop),
            person.try_password("wrong guess").await.map(drop),
            gateway.refresh(&tokens.refresh_token).await.map(drop),
            gateway.revoke(&tokens.access_token).await,
            gateway.revoke(&tokens.refresh_token).await,
            person.end_session(tokens, &tokens.session_id).await,
            person
                .change_password(tokens, PASSWORD, "nine herons on the far pier")
                .await,
            gateway
                .sign_up_proven(email(&address), "", PASSWORD, &proof)
                .await
                .map(drop),
            gateway
                .send_code(email(&world.new_email()), v1::Purpose::SignUp, "")
                .await
                .map(drop),
            gateway
                .sessions()
                .revoke_user_sessions(v1::RevokeUserSessionsRequest {
                    person: Some(by_token(tokens)),
                    ..Default::default()
                })
                .await
                .map(drop),
        ];
        for result in &results {
            outcomes.add(&reason(result));
        }
        self.proved.push((address, proof));
    }

    /// Asks what can be answered by reading, and from memory.
    pub(crate) async fn reads(&self, outcomes: &mut Tally) {
        let word = self.person.gateway.judge(&self.tokens.access_token).await;
        outcomes.add(&good_is_valid(word));
        outcomes.add(&reason(&self.person.sessions(&self.tokens).await));
    }

    /// All that was tried in vain is done, with what was held then.
    pub(crate) async fn work_again(&self, world: &World) -> Tally {
        let mut outcomes = Tally::default();
        let gateway = world.gateway();
        let person = self.person.at(&gateway);
        let refreshed = gateway.refresh(&self.tokens.refresh_token).await;
        outcomes.add(&reason(&refreshed));
        if let Ok(next) = refreshed {
            let rotations =
                generation(&next.refresh_token) - generation(&self.tokens.refresh_token);
            assert_eq!(
                rotations, 1,
                "it was rotated while nothing could be written"
            );
            outcomes.add(&good_is_valid(gateway.judge(&next.access_token).await));
            outcomes.add(&reason(&gateway.revoke(&next.access_token).await));
            let word = gateway.judge(&next.access_token).await;
            outcomes.add(if word == "REVOKED" { "OK" } else { &word });
        }
        outcomes.add(&reason(&person.try_password(PASSWORD).await));
        let address = world.new_email();
        let sent = gateway
            .send_code(email(&address), v1::Purpose::SignUp, "")
            .await;
        outcomes.add(&reason(&sent));
        if let Ok(id) = sent {
            let code = world.read_code(&address).await;
            outcomes.add(&reason(&gateway.check_code(&id, &code).await));
        }
        outcomes
    }

    /// The proofs that were tried in vain are tried again.
    pub(crate) async fn proofs_again(&self, world: &World) -> Tally {
        let mut outcomes = Tally::default();
        let gateway = world.gateway();
        for (address, proof) in &self.proved {
            let signed_up = gateway.sign_up_proven(email(address), "", PASSWORD, proof);
            outcomes.add(&reason(&signed_up.await));
        }
        outcomes
    }
}
