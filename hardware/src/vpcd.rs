//! Virtual cards and modules in the virtual reader of vsmartcard (vpcd), over its small TCP protocol.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::thread::JoinHandle;

use crate::person::VirtualCardError;
use crate::virtual_card::VirtualCard;
use crate::virtual_psam::VirtualPsam;

/// Where the first slot of the virtual reader listens by default.
pub const VPCD_ADDRESS: &str = "127.0.0.1:35963";
/// Where the second one does.
pub const VPCD_SECOND_ADDRESS: &str = "127.0.0.1:35964";

/// A chip in software.
pub(crate) trait Chip: Send + 'static {
    /// Its answer to reset.
    fn atr(&self) -> &[u8];
    /// Power off, on, or reset: what was selected is forgotten.
    fn reset(&mut self);
    /// One command, one answer with its status word.
    fn answer(&mut self, command: &[u8]) -> Vec<u8>;
}

impl VirtualCard {
    /// Puts this card into a virtual reader, where it stays until the result is dropped.
    pub fn insert(self, address: impl ToSocketAddrs) -> Result<InsertedCard, VirtualCardError> {
        insert(self, address)
    }
}

impl VirtualPsam {
    /// Puts this module into a virtual reader, where it stays until the result is dropped.
    pub fn insert(self, address: impl ToSocketAddrs) -> Result<InsertedCard, VirtualCardError> {
        insert(self, address)
    }
}

fn insert(mut chip: impl Chip, address: impl ToSocketAddrs) -> Result<InsertedCard, VirtualCardError> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let served = stream.try_clone()?;
    let server = std::thread::Builder::new()
        .name("virtual-card".to_owned())
        .spawn(move || serve(&mut chip, served))?;
    Ok(InsertedCard {
        stream,
        server: Some(server),
    })
}

/// A virtual card in a virtual reader. Dropping it pulls the card.
#[derive(Debug)]
pub struct InsertedCard {
    stream: TcpStream,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl InsertedCard {
    /// Serves until the reader lets go of the card, which happens when its service stops.
    pub fn wait(mut self) -> Result<(), VirtualCardError> {
        match self.server.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(())) | Err(_)) => Ok(()),
            Some(Ok(Err(error))) => match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    Ok(())
                }
                _ => Err(error.into()),
            },
        }
    }
}

impl Drop for InsertedCard {
    fn drop(&mut self) {
        // An error here means that the reader has closed the connection already.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// The reader sends each command in two small segments and waits for the first to be acknowledged; a delayed
/// acknowledgement would cost 40 ms a command. The kernel forgets the setting, so it is set before each read.
fn acknowledge_at_once(stream: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // Without it the card is slow, not wrong.
        let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = stream;
}

/// Answers the virtual reader until the connection ends: two bytes of length, then a control byte or a command.
fn serve(card: &mut impl Chip, mut stream: TcpStream) -> io::Result<()> {
    loop {
        acknowledge_at_once(&stream);
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        acknowledge_at_once(&stream);
        stream.read_exact(&mut message)?;
        let answer = match message.as_slice() {
            [0x04] => card.atr().to_vec(),
            // Off, on, reset: no answer, and the card has forgotten what was selected.
            [_] => {
                card.reset();
                continue;
            }
            command => card.answer(command),
        };
        let mut bytes = u16::try_from(answer.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes()
            .to_vec();
        bytes.extend_from_slice(&answer);
        stream.write_all(&bytes)?;
    }
}
