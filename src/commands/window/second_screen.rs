//! Puts the customer's window on the second screen, where there is one.

use winit::monitor::MonitorHandle;
use winit::window::{Fullscreen, Window};
use yijie_ui::slint::winit_030::{WinitWindowAccessor as _, winit};
use yijie_ui::slint::{ComponentHandle as _, spawn_local};
use yijie_ui::{AppWindow, CustomerWindow};

/// Fills the screen on which the cashier's window is not. With a single screen the window stays as it is, beside the
/// cashier's.
pub(super) fn place(window: &AppWindow, customer: &CustomerWindow) {
    let (window, customer) = (window.as_weak(), customer.as_weak());
    // Fails only where no loop can run; then there is no window either.
    drop(spawn_local(async move {
        let (Some(window), Some(customer)) = (window.upgrade(), customer.upgrade()) else {
            return;
        };
        let (Ok(own), Ok(other)) = (
            window.window().winit_window().await,
            customer.window().winit_window().await,
        ) else {
            return;
        };
        if let Some(screen) = free_screen(&own) {
            other.set_fullscreen(Some(Fullscreen::Borderless(Some(screen))));
        }
        own.focus_window();
    }));
}

fn free_screen(own: &Window) -> Option<MonitorHandle> {
    let mine = own.current_monitor()?;
    let others = own.available_monitors().filter(|screen| *screen != mine);
    // The one to the right, else any.
    let mut others: Vec<_> = others.collect();
    others.sort_by_key(|screen| std::cmp::Reverse(screen.position().x));
    others.into_iter().next()
}
