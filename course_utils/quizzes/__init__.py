"""The questions of the lessons' quizzes, one TOML file per lesson (see `quiz`)."""
