"""Errors that speak one clear sentence: what was expected, what was got, what to do."""


class CourseError(Exception):
    """Base of the course's own errors.

    A notebook shows only the sentence, not the frames of the package that led to it.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython calls this hook instead of printing a stack trace.
        return [f"{type(self).__name__}: {self}"]


class InputError(CourseError, ValueError):
    """The caller gave something that cannot work."""


class AssetError(CourseError, RuntimeError):
    """A model or data set could not be fetched or is not what it should be."""


def choose_from(what: str, got: object, options) -> str:
    """Word the sentence for a name that is not among the known ones."""
    known = ", ".join(str(option) for option in options)
    return f"Expected {what}: one of {known}; got {got!r}. Use one of these names."
