//! Compiles the window with its translations; element ids stay in, for tests and screen readers' tools.
fn main() -> Result<(), slint_build::CompileError> {
    slint_build::compile_with_config(
        "app.slint",
        slint_build::CompilerConfiguration::new()
            .with_style("fluent-light".into())
            .with_debug_info(true)
            .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles)
            .with_bundled_translations("lang")
            .with_default_translation_context(slint_build::DefaultTranslationContext::None),
    )
}
