"""Every error a user can cause. Each message says what came, what is wanted and what to do.

FloodError                  the command ends with exit code 1 and this one line
├── DataError               photographs, masks, pairs or pictures that cannot be used
├── ManifestError           the contract beside an artefact is missing, damaged or does not fit
├── ModelError              an artefact (checkpoint, graph, engine) that cannot be loaded or built
├── BackendError            a backend that is not installed, not known or fails while it runs
├── SourceError             a camera, stream, video, file or folder that gives no frames
├── SinkError               a result that cannot be written
└── ParityError             an artefact whose results differ from its reference by more than allowed
"""


class FloodError(Exception):
    """Base of all errors that are shown to the user as one line."""


class DataError(FloodError):
    """Photographs, masks, pairs or pictures that cannot be used."""


class ManifestError(FloodError):
    """A manifest that is missing, damaged, of another schema, or does not fit its artefact."""


class ModelError(FloodError):
    """An artefact (checkpoint, graph, engine) that cannot be loaded or built."""


class BackendError(FloodError):
    """A backend that is not installed, not known, or fails while it runs."""


class SourceError(FloodError):
    """A camera, stream, video, file or folder that gives no frames."""


class SinkError(FloodError):
    """A result that cannot be written."""


class ParityError(FloodError):
    """An artefact whose results differ from its reference by more than allowed."""
