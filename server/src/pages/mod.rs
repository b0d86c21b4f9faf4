//! The few pages that mailed links lead to. Opening one shows a form and spends nothing; only the form's POST does.

pub mod render;
