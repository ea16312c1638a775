"""Water masks from cameras, video and pictures, without torch.

with open_source(uri) as source, load_model(path) as model:
    for frame in prefetch(source):
        observation = observe(frame, model)
"""

__version__ = "0.1.0"
