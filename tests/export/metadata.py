"""What weights carry beside their tensors, but for head and objective, for networks that tests make."""

METADATA = {
    "format": 1,
    "name": "tiny",
    "trunk": "timm:test_efficientnet",
    "in_chans": 1,
    "stride": 4,
    "ab_origin": 2.0,
    "input_size": 64,
    "temperature": 0.38,
    "recipe": "tiny",
    "data": "none",
    "steps": 0,
    "versions": {"tintype": "0"},
}
