fn main() { slint_build::compile_with_config("app.slint", slint_build::CompilerConfiguration::new().with_style("fluent-light".into()).with_debug_info(true)).unwrap(); }
