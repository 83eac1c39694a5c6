//! Finishes what was left open: attempts without an outcome and refunds without a confirmation.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use double11_gateway::{AttemptStatus, GatewayError};
use double11_store::{Attempt, GatewayAnswer, PendingRefund, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::refunds::{self, Backoff, Failure};
use super::{PayAnswer, Payments, charge_of, not_this_charge};

/// How often the store is asked what is open: between three quarters of a second and five, so that
/// several shops on one store do not ask in step.
const PERIOD_MIN: Duration = Duration::from_millis(750);
const PERIOD_SPREAD_MS: u32 = 500;
/// Attempts that are taken up at a time.
const PAGE: u32 = 256;
/// An attempt is left alone for the gateway's deadline and this much longer: between PREPARE and the
/// charge it is not yet known as being worked on.
const GRACE: Duration = Duration::from_secs(2);

impl Payments {
    /// Runs until told to stop: once at the start, then about every second or when a refund is queued.
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
                () = tokio::time::sleep(self.period()) => {}
                () = self.refund_queued.notified(), if !failing => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Resolves everything that is open and can be resolved now.
    pub(crate) async fn resolve_open(self: &Arc<Self>) -> Result<(), StoreError> {
        while self.resolve_attempts().await? == PAGE as usize {}
        while self.resolve_refunds().await? == refunds::PAGE {}
        Ok(())
    }

    fn period(&self) -> Duration {
        PERIOD_MIN + Duration::from_millis(u64::from(self.jitter.below(PERIOD_SPREAD_MS)))
    }

    /// Resolves one page of attempts; answers how many got their outcome.
    async fn resolve_attempts(self: &Arc<Self>) -> Result<usize, StoreError> {
        let attempts = self
            .store
            .unresolved_payments(self.gateway.name(), PAGE)
            .await?;
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

    /// Whether nobody works on an attempt any more. Where the store is shared another shop may, however
    /// long ago this one started: then only its age tells.
    fn is_left_open(&self, attempt: &Attempt) -> bool {
        let age = self.clock.now().since(attempt.created_at);
        let is_of_earlier_process = !self.store.is_shared() && attempt.created_at < self.started_at;
        let is_old = is_of_earlier_process || age > self.gateway_deadline + GRACE;
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
        // Late is what somebody else gave up in between.
        matches!(
            self.finalize(attempt, answer).await,
            PayAnswer::Captured(_) | PayAnswer::Declined | PayAnswer::Late
        )
    }

    /// What the gateway says of an attempt. One that it never heard of is voided there first, so that
    /// a charge that is still on its way comes to nothing.
    async fn outcome_of(&self, attempt: Attempt) -> Result<GatewayAnswer, GatewayError> {
        let deadline = self.gateway_deadline;
        let asked = async {
            let known = self.gateway.status(attempt.attempt_id).await?;
            match known.status {
                AttemptStatus::NeverHeard => self.gateway.void(attempt.attempt_id).await,
                _ => Ok(known),
            }
        };
        let known = tokio::time::timeout(deadline, asked)
            .await
            .map_err(|_| GatewayError::OutcomeUnknown)??;
        match known.status_of(charge_of(attempt)) {
            Ok(AttemptStatus::Captured) => Ok(GatewayAnswer::Captured),
            Ok(AttemptStatus::Declined | AttemptStatus::Voided) => Ok(GatewayAnswer::Declined),
            Err(GatewayError::OtherCharge) => Ok(not_this_charge(attempt)),
            Ok(AttemptStatus::NeverHeard) | Err(_) => Err(GatewayError::OutcomeUnknown),
        }
    }

    /// Executes one page of refunds; answers how many were confirmed.
    async fn resolve_refunds(self: &Arc<Self>) -> Result<usize, StoreError> {
        let list_max = self.backoff().list_max();
        let list_max = u32::try_from(list_max).unwrap_or(u32::MAX);
        let listed = self
            .store
            .pending_refunds(self.gateway.name(), list_max)
            .await?;
        let due = self.backoff().due(listed, Instant::now());
        let mut tasks = JoinSet::new();
        for refund in due {
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
        let failure = match tokio::time::timeout(self.gateway_deadline, asked).await {
            Ok(Ok(())) => match self.store.finish_refund(order_id, attempt_id).await {
                Ok(()) => {
                    self.backoff().confirmed(attempt_id);
                    return true;
                }
                Err(_) => Failure::Unknown,
            },
            Ok(Err(GatewayError::NotCaptured | GatewayError::OtherCharge)) => Failure::Refused,
            Ok(Err(GatewayError::OutcomeUnknown)) | Err(_) => Failure::Unknown,
        };
        let is_first = self.backoff().failed(attempt_id, failure, Instant::now());
        if is_first {
            let (payment, order) = (attempt_id.get(), order_id.get());
            match failure {
                Failure::Refused => tracing::error!(
                    payment.id = payment,
                    order.id = order,
                    "the gateway did not capture what is to be refunded"
                ),
                Failure::Unknown => tracing::warn!(
                    payment.id = payment,
                    order.id = order,
                    "a refund is not confirmed; it will be tried again and again"
                ),
            }
        }
        false
    }

    fn backoff(&self) -> MutexGuard<'_, Backoff> {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn count_true(mut tasks: JoinSet<bool>) -> usize {
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += usize::from(matches!(done, Ok(true)));
    }
    count
}
