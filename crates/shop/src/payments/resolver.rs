//! Finishes what was left open: attempts without an outcome and refunds without a confirmation.

use std::sync::Arc;
use std::time::Duration;

use double11_gateway::{AttemptStatus, GatewayError};
use double11_store::{Attempt, GatewayAnswer, PendingRefund, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{PayAnswer, Payments};
use crate::metrics::PaymentStatus;

/// How often the store is asked what is open.
const PERIOD: Duration = Duration::from_secs(1);
/// Attempts and refunds that are taken up at a time.
const PAGE: u32 = 256;
/// An attempt is left alone for the gateway's deadline and this much longer: between PREPARE and the
/// charge it is not yet known as being worked on.
const GRACE: Duration = Duration::from_secs(2);

impl Payments {
    /// Runs until told to stop: once at the start, then every second or when a refund is queued.
    pub(crate) async fn resolve_until(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut failing = false;
        while !*stop.borrow() {
            let result = self.resolve_open().await;
            if let Err(error) = &result
                && !failing
            {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "open payments and refunds cannot be read from the store"
                );
            }
            failing = result.is_err();
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = self.refund_queued.notified(), if !failing => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Resolves everything that is open and can be resolved now.
    pub(crate) async fn resolve_open(self: &Arc<Self>) -> Result<(), StoreError> {
        while self.resolve_attempts().await? == PAGE {}
        while self.resolve_refunds().await? == PAGE {}
        Ok(())
    }

    /// Resolves one page of attempts; answers how many got their outcome.
    async fn resolve_attempts(self: &Arc<Self>) -> Result<u32, StoreError> {
        let attempts = self.store.unresolved_payments(PAGE).await?;
        let mut tasks = JoinSet::new();
        for attempt in attempts
            .into_iter()
            .filter(|attempt| self.is_left_open(attempt))
        {
            let payments = Arc::clone(self);
            tasks.spawn(async move { payments.resolve_attempt(attempt).await });
        }
        Ok(count_true(tasks).await)
    }

    fn is_left_open(&self, attempt: &Attempt) -> bool {
        let age = self.clock.now().since(attempt.created_at);
        let is_old = attempt.created_at < self.started_at || age > self.gateway_deadline + GRACE;
        is_old && !self.joins.is_working_on(attempt.attempt_id)
    }

    async fn resolve_attempt(&self, attempt: Attempt) -> bool {
        let _working = self.joins.work_on(attempt.attempt_id);
        let Ok(answer) = self.outcome_of(attempt).await else {
            return false;
        };
        tracing::info!(
            payment.id = attempt.attempt_id.get(),
            order.id = attempt.order_id.get(),
            payment.outcome = ?answer,
            "an open payment was resolved by the gateway's status"
        );
        match self.finalize(attempt, answer).await {
            PayAnswer::Captured(_) => self.count(PaymentStatus::Success),
            PayAnswer::Declined => self.count(PaymentStatus::Declined),
            PayAnswer::Late => self.count(PaymentStatus::Invalid),
            _ => return false,
        }
        true
    }

    /// What the gateway says of an attempt. One that it never heard of is voided there first, so that
    /// a charge that is still on its way comes to nothing.
    async fn outcome_of(&self, attempt: Attempt) -> Result<GatewayAnswer, GatewayError> {
        let deadline = self.gateway_deadline;
        let asked = async {
            match self.gateway.status(attempt.attempt_id).await? {
                AttemptStatus::NeverHeard => self.gateway.void(attempt.attempt_id).await,
                known => Ok(known),
            }
        };
        let status = tokio::time::timeout(deadline, asked)
            .await
            .map_err(|_| GatewayError::OutcomeUnknown)??;
        match status {
            AttemptStatus::Captured => Ok(GatewayAnswer::Captured),
            AttemptStatus::Declined | AttemptStatus::Voided => Ok(GatewayAnswer::Declined),
            AttemptStatus::NeverHeard => Err(GatewayError::OutcomeUnknown),
        }
    }

    /// Executes one page of refunds; answers how many were confirmed.
    async fn resolve_refunds(self: &Arc<Self>) -> Result<u32, StoreError> {
        let refunds = self.store.pending_refunds(PAGE).await?;
        let mut tasks = JoinSet::new();
        for refund in refunds {
            let payments = Arc::clone(self);
            tasks.spawn(async move { payments.refund(refund).await });
        }
        Ok(count_true(tasks).await)
    }

    async fn refund(&self, refund: PendingRefund) -> bool {
        let PendingRefund {
            order_id,
            attempt_id,
            amount,
        } = refund;
        let asked = self.gateway.refund(attempt_id, amount);
        match tokio::time::timeout(self.gateway_deadline, asked).await {
            Ok(Ok(())) => {}
            Ok(Err(GatewayError::NotCaptured)) => {
                tracing::error!(
                    payment.id = attempt_id.get(),
                    "the gateway did not capture what is to be refunded"
                );
                return false;
            }
            Ok(Err(GatewayError::OutcomeUnknown)) | Err(_) => return false,
        }
        self.store.finish_refund(order_id, attempt_id).await.is_ok()
    }
}

async fn count_true(mut tasks: JoinSet<bool>) -> u32 {
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += u32::from(matches!(done, Ok(true)));
    }
    count
}
