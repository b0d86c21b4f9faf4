//! What goes on after its caller has been answered, counted so that the end of the process can wait for it.

use tokio::sync::watch;

/// How many such works there are.
#[derive(Clone)]
pub(super) struct Later(watch::Sender<usize>);

/// One of them, until this is dropped.
pub(super) struct UnderWay(watch::Sender<usize>);

impl Later {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// To be called before the answer is given, lest whoever has it find nothing to wait for.
    pub(super) fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.0.clone())
    }

    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until there is none.
    pub(super) async fn settled(&self) {
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
