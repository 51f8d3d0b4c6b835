"""Knowledge distillation: teachers, transfer sets and students."""
