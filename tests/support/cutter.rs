//! A link that can be cut: a TCP proxy that ends all its connections when it is told to, and refuses new ones until it is
//! told otherwise.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy before one address.
pub(crate) struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    broken: AtomicBool,
    ended: AtomicBool,
    made: AtomicUsize,
    /// Octets from the port, and to it.
    octets: [AtomicUsize; 2],
    open: Mutex<Vec<TcpStream>>,
    trap: Mutex<Option<(Vec<u8>, Moment)>>,
    /// What the server says goes nowhere; the link ends with its next word.
    deaf: AtomicBool,
}

/// When a link ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The command does not get to the server.
    Before,
    /// The server did it, and its answer does not come back.
    Behind,
}

impl Cutter {
    /// Before a port of this machine.
    pub(crate) fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            broken: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            made: AtomicUsize::new(0),
            octets: Default::default(),
            open: Mutex::default(),
            trap: Mutex::default(),
            deaf: AtomicBool::new(false),
        });
        let ours = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ours.ended.load(Ordering::SeqCst) {
                    return;
                }
                if ours.broken.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(behind) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                ours.made.fetch_add(1, Ordering::SeqCst);
                let pairs = [(&behind, &stream), (&stream, &behind)];
                for (way, (from, to)) in pairs.into_iter().enumerate() {
                    let from = from.try_clone().expect("a second handle");
                    let to = to.try_clone().expect("a second handle");
                    let shared = Arc::clone(&ours);
                    thread::spawn(move || pass(from, to, &shared, way));
                }
                let mut open = ours.open.lock().expect("whole");
                open.extend([stream, behind]);
            }
        });
        Self { address, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that were made so far.
    pub(crate) fn made(&self) -> usize {
        self.shared.made.load(Ordering::SeqCst)
    }

    /// Octets that came from the port so far.
    pub(crate) fn octets_back(&self) -> usize {
        self.shared.octets[0].load(Ordering::SeqCst)
    }

    /// Ends all connections; no new one is made until [`Self::mend`].
    pub(crate) fn cut(&self) {
        self.shared.cut();
    }

    /// Has the link end by itself at the next command that has these octets.
    pub(crate) fn cut_at(&self, command: &str, moment: Moment) {
        let mut trap = self.shared.trap.lock().expect("whole");
        *trap = Some((command.as_bytes().to_vec(), moment));
    }

    /// Whether the link is cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.shared.broken.load(Ordering::SeqCst)
    }

    /// New connections are made again.
    pub(crate) fn mend(&self) {
        self.shared.deaf.store(false, Ordering::SeqCst);
        self.shared.broken.store(false, Ordering::SeqCst);
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.cut();
        self.shared.ended.store(true, Ordering::SeqCst);
        // The listener wakes, and ends.
        TcpStream::connect(self.address).ok();
    }
}

impl Shared {
    fn cut(&self) {
        self.broken.store(true, Ordering::SeqCst);
        for stream in self.open.lock().expect("whole").drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// Whether what goes to the port may go there.
    fn lets(&self, octets: &[u8]) -> bool {
        let mut trap = self.trap.lock().expect("whole");
        let found =
            trap.take_if(|(command, _)| octets.windows(command.len()).any(|part| part == *command));
        match found {
            None => true,
            Some((_, Moment::Before)) => false,
            Some((_, Moment::Behind)) => {
                self.deaf.store(true, Ordering::SeqCst);
                true
            }
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, shared: &Shared, way: usize) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        shared.octets[way].fetch_add(count, Ordering::SeqCst);
        let passes = match way {
            0 => !shared.deaf.load(Ordering::SeqCst),
            _ => shared.lets(&buffer[..count]),
        };
        if !passes {
            shared.cut();
        }
        if !passes || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
