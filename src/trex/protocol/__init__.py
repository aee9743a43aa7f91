"""The conversation between broker and worker: messages, frames and their order; no I/O."""
