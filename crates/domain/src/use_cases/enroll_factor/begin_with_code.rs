//! Beginning to enrol an address of the person: a code is sent to it.

use super::begin::{BegunEnrollment, beginner};
use crate::application::{Application, FactorCodeUse, Given, NewCode, SentFor};
use crate::error::{Error, Refusal};
use crate::model::{Address, Channel, ClientContext, FactorLabel, Locale, ProvenUser, User};

/// Somebody begins to enrol an address.
#[derive(Debug)]
pub struct BeginCodeEnrollment {
    /// The person's access token.
    pub access_token: String,
    /// How codes are to be sent.
    pub channel: Channel,
    /// Which address; the only one that the channel leads to if none is named.
    pub address: Option<Address>,
    /// What the person calls it.
    pub label: FactorLabel,
    /// The language of the message.
    pub locale: Locale,
    /// The device.
    pub client: ClientContext,
}

impl BeginCodeEnrollment {
    /// Sends a code to the address.
    ///
    /// # Errors
    /// An access token that is not good or not of a fresh, full sign-in; an address
    /// that is not a verified one of the person, or is a factor already; as many
    /// factors as one may have; too many enrolments or messages; no sender.
    pub async fn execute(self, app: &Application) -> Result<BegunEnrollment, Error> {
        let user = beginner(app, &self.access_token).await?;
        let address = self.address(app, &user).await?;
        if !app.code_factors.reaches(&address) {
            return Err(Refusal::SenderMissing.into());
        }
        let charge = app.limits.charge_enrollment(user.id).await?;
        let begun = self.begin(app, &user, address).await;
        app.limits.refund_if_failed(charge, begun).await
    }

    /// The address, which is the person's and no factor yet.
    async fn address(&self, app: &Application, user: &User) -> Result<Address, Error> {
        let addresses = app.store.addresses(user.id).await?;
        let is_meant = |address: &Address| match &self.address {
            Some(named) => address == named,
            None => self.channel.leads_to(address),
        };
        let mut meant = addresses.into_iter().filter(is_meant);
        let (Some(address), None) = (meant.next(), meant.next()) else {
            return Err(Refusal::AddressUnverified.into());
        };
        for factor in app.store.factors(user.id).await?.into_iter().flatten() {
            // One that cannot be opened has kept its place, which is found later.
            let enrolled = app.code_factors.address_of(&factor).ok().flatten();
            if enrolled.is_some_and(|enrolled| enrolled == address) {
                return Err(Refusal::FactorEnrolled.into());
            }
        }
        Ok(address)
    }

    async fn begin(
        self,
        app: &Application,
        user: &User,
        address: Address,
    ) -> Result<BegunEnrollment, Error> {
        let used = FactorCodeUse::Enrollment;
        let charged = app.limits.charge_factor_code(&address, &self.client, used);
        let charge = charged.await?;
        let sent = async {
            let ttl = app.settings.verification.code_ttl;
            let (user, given) = (ProvenUser::of(user), Given::Code(address.clone()));
            let enrollment = app.enrollments.begin(user, self.label, given, Some(ttl));
            let enrollment = enrollment.await?;
            let new = NewCode {
                sent_for: SentFor::Enrollment(enrollment.id),
                factor: enrollment.id,
                to: Some(&address),
                locale: self.locale,
                ends_at: enrollment.expires_at,
            };
            app.sent_codes.send(new, &charge, &app.messages).await?;
            Ok(BegunEnrollment {
                enrollment,
                account: address.as_str().to_owned(),
                creation_options: None,
            })
        };
        let sent = sent.await;
        app.limits.refund_if_failed(charge, sent).await
    }
}
