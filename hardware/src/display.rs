//! Customer display with eight digits (LED8) at a serial port: an amount, and a lamp that says what it is.

use std::io::Write as _;
use std::time::Duration;

use crate::printer::PrinterError;
use crate::serial::Line;

/// Speed of these displays out of the box.
pub const DISPLAY_BAUD: u32 = 2_400;
/// Digits, not counting the point.
const DIGITS_MAX: usize = 8;
const SEND_PAUSE: Duration = Duration::from_millis(5);
const SENDS_MAX: u32 = 400;

/// What an amount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lamp {
    /// None of them: an amount the display has no word for.
    Dark,
    /// 单价.
    Price,
    /// 合计.
    Total,
    /// 收款.
    Received,
    /// 找零.
    Change,
}

/// What a display shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnDisplay {
    /// Nothing.
    #[default]
    Nothing,
    /// An amount, digits and point.
    Amount(Lamp, String),
}

impl OnDisplay {
    /// The bytes for the display: ESC @, then ESC s and ESC Q A, or clear. An amount that does not fit shows nothing
    /// rather than a wrong figure.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x1B, 0x40];
        let Self::Amount(lamp, amount) = self else {
            bytes.push(0x0C);
            return bytes;
        };
        let digits = amount.chars().filter(char::is_ascii_digit).count();
        let fits = digits <= DIGITS_MAX
            && amount
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
        if !fits {
            bytes.push(0x0C);
            return bytes;
        }
        let lamp = match lamp {
            Lamp::Dark => b'0',
            Lamp::Price => b'1',
            Lamp::Total => b'2',
            Lamp::Received => b'3',
            Lamp::Change => b'4',
        };
        bytes.extend_from_slice(&[0x1B, 0x73, lamp, 0x1B, 0x51, 0x41]);
        bytes.extend_from_slice(amount.as_bytes());
        bytes.push(0x0D);
        bytes
    }

    /// Shows it on the display at a port.
    pub fn send(&self, port: &str, baud: u32) -> Result<(), PrinterError> {
        let mut line = Line::open(port, baud).map_err(crate::printer::missing)?;
        line.write_all(&self.to_bytes())?;
        for _ in 0..SENDS_MAX {
            if line.unsent() == 0 {
                return Ok(());
            }
            std::thread::sleep(SEND_PAUSE);
        }
        line.forget_unsent();
        Err(PrinterError::Stalled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_lights_its_lamp_and_one_too_long_shows_nothing() {
        let total = OnDisplay::Amount(Lamp::Total, "136.00".to_owned());
        assert_eq!(total.to_bytes(), b"\x1B@\x1Bs2\x1BQA136.00\r");
        assert_eq!(OnDisplay::Nothing.to_bytes(), b"\x1B@\x0C");
        for unfit in ["123456789.00", "12a"] {
            let unfit = OnDisplay::Amount(Lamp::Change, unfit.to_owned());
            assert_eq!(unfit.to_bytes(), b"\x1B@\x0C");
        }
    }
}
