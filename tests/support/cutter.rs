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
                    thread::spawn(move || pass(from, to, &shared.octets[way]));
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
        self.shared.broken.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().expect("whole").drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// New connections are made again.
    pub(crate) fn mend(&self) {
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

fn pass(mut from: TcpStream, mut to: TcpStream, octets: &AtomicUsize) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        octets.fetch_add(count, Ordering::SeqCst);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
