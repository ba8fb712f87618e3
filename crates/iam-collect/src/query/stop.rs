//! The wish to stop: signals of the terminal, or whatever a test says.
//!
//! Says only that it came. What is cancelled then is for others.

use std::pin::pin;
use std::task::Poll;

use tokio::sync::watch::{Receiver, Sender, channel};

use crate::connect::Connection;

/// Whether someone wants the run to stop.
#[derive(Clone)]
pub(crate) struct Stop(Receiver<bool>);

/// Someone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl Stop {
    /// A wish, and whoever may voice it.
    pub(crate) fn new() -> (Sender<bool>, Self) {
        let (sender, receiver) = channel(false);
        (sender, Self(receiver))
    }

    /// Interrupts and the polite kill stop the run, from now on.
    pub(crate) fn on_signals(connection: &Connection) -> Self {
        let (sender, stop) = Self::new();
        connection.spawn(async move {
            signal().await;
            // Nobody listens any more where the run is over.
            let _ = sender.send(true);
            std::future::pending::<()>().await;
        });
        stop
    }

    /// What comes first: the work's end, or the wish to stop.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut receiver = self.0.clone();
        let wish = async move {
            if receiver.wait_for(|on| *on).await.is_err() {
                // Whoever could have wished is gone.
                std::future::pending::<()>().await;
            }
        };
        let (mut work, mut wish) = (pin!(work), pin!(wish));
        std::future::poll_fn(|context| {
            if wish.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(Stopped));
            }
            work.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let (mut terminated, mut interrupted) = (pin!(terminated), pin!(interrupted()));
    std::future::poll_fn(|context| {
        if terminated.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        interrupted.as_mut().poll(context)
    })
    .await;
}

#[cfg(not(unix))]
async fn signal() {
    interrupted().await;
}

/// Waits for the terminal's interrupt; for ever where it cannot be heard, and the system then ends the program.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
