//! SIGTERM and SIGINT: the first asks the server to stop, the second ends the process at once.

use std::io;

use tokio::sync::oneshot;

use crate::web::Server;

/// Signals that are caught from now on.
pub(super) struct Signals(oneshot::Receiver<()>);

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

impl Signals {
    /// Begins to catch them, in a thread of its own.
    pub(super) fn install() -> io::Result<Self> {
        let (installed, ready) = std::sync::mpsc::channel();
        let (first, receiver) = oneshot::channel();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let outcome: io::Result<()> = runtime().and_then(|runtime| {
                    runtime.block_on(async {
                        let mut streams = Streams::new()?;
                        let _unused = installed.send(Ok(()));
                        streams.next().await;
                        let _unused = first.send(());
                        streams.next().await;
                        std::process::exit(130)
                    })
                });
                if let Err(error) = outcome {
                    let _unused = installed.send(Err(error));
                }
            })?;
        match ready.recv() {
            Ok(Ok(())) => Ok(Self(receiver)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("signals cannot be caught")),
        }
    }

    /// Returns at the first signal; an error if the server ended without one.
    pub(super) fn wait(self, server: &Server) -> io::Result<()> {
        runtime()?.block_on(async {
            tokio::select! {
                () = server.ended() => Err(io::Error::other("the HTTP server ended by itself")),
                _ = self.0 => Ok(()),
            }
        })
    }
}

#[cfg(unix)]
struct Streams {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Streams {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Streams;

#[cfg(not(unix))]
impl Streams {
    #[allow(clippy::unnecessary_wraps)]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
