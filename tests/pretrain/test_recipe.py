from importlib import resources

import pytest
import yaml

from tintype.pretrain import RecipeError, bundled_recipes, load_recipe
from tintype.pretrain.recipe_file import different_keys


def test_the_papers_four_systems_and_the_bundled_model_have_recipes():
    assert set(bundled_recipes()) >= {"bundled", "zhang16-class", "zhang16-full", "zhang16-l2", "zhang16-l2-ft"}


def test_larsson17s_networks_and_losses_have_recipes_with_and_without_hypercolumns_each_with_a_small_twin():
    names = {f"larsson17-{n}-{o}" for n in ("alexnet", "vgg16", "resnet152") for o in ("histograms", "regression")}
    names |= {f"{name}-nohypercolumn" for name in names} | {"zhang16-alexnet"}
    assert set(bundled_recipes()) >= names | {f"{name}-mini" for name in names}


@pytest.mark.parametrize("name", bundled_recipes())
def test_bundled_recipes_are_valid_and_named_as_their_files(name):
    assert load_recipe(name).name == name


@pytest.mark.parametrize("name", bundled_recipes())
def test_a_resolved_recipe_is_itself_a_recipe(name, tmp_path):
    recipe = load_recipe(name)
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe.to_yaml(), encoding="utf-8")
    assert load_recipe(path) == recipe
    assert different_keys(recipe, load_recipe(path)) == []


def test_zhang16_recipes_hold_the_released_codes_values():
    full = load_recipe("zhang16-full")  # PAPERS A3, A7
    assert (full.batch_size, full.data.crop, full.steps, full.objective.k) == (40, 176, 500_000, 10)
    assert (full.optimizer.lr, full.optimizer.betas, full.optimizer.weight_decay) == (3e-5, (0.9, 0.99), 1e-3)
    assert (full.objective.uniform, full.sampling) == (0.5, "point")
    assert load_recipe("zhang16-class").objective.uniform == 1
    assert load_recipe("zhang16-l2").objective.name == "regression"


def test_larsson17_recipes_hold_the_papers_and_the_released_codes_values():
    vgg = load_recipe("larsson17-vgg16-histograms")  # PAPERS C1 to C4
    assert (vgg.trunk, vgg.input, vgg.batch_size, vgg.data.crop, vgg.steps) == ("vgg16_bn", "mean", 8, 352, 2_000_000)
    assert (vgg.head.points, vgg.head.width, vgg.head.dropout, vgg.head.layers) == (128, 1024, 0.5, ())
    assert (vgg.objective.bins, vgg.objective.window, vgg.objective.hue_weight) == (32, 7, 5)
    assert (vgg.optimizer.name, vgg.optimizer.lr, vgg.optimizer.betas[0]) == ("sgd", 1e-3, 0.9)
    assert (vgg.optimizer.weight_decay, vgg.optimizer.bias_lr, vgg.optimizer.bias_decay) == (5e-4, 2, False)
    assert vgg.schedule.milestones == (1_000_000, 1_500_000, 1_750_000)
    assert load_recipe("larsson17-resnet152-regression").objective.form == "larsson17"
    assert load_recipe("larsson17-alexnet-regression-nohypercolumn").head.layers == ("fc7",)


def test_zhang16s_alexnet_holds_the_released_codes_values():
    alexnet = load_recipe("zhang16-alexnet")  # PAPERS B1
    assert (alexnet.trunk, alexnet.head.name, alexnet.data.crop) == ("alexnet_dilated_bn", "linear", 180)
    assert (alexnet.batch_size, alexnet.optimizer.betas, alexnet.optimizer.weight_decay) == (80, (0.9, 0.999), 1e-3)
    assert [alexnet.optimizer.lr * f for f in alexnet.schedule.factors] == pytest.approx([1e-5, 3e-6, 1e-6], rel=1e-2)


@pytest.mark.parametrize(
    ("row", "images", "epochs"),
    [
        ("c1000", 1_281_167, 20),
        ("c1000-80", 1_281_167, 4),  # after the 76 of the published network
        ("c1000-100k", 100_000, 250),
        ("c1000-10k", 10_000, 250),
        *[(row, 1_281_167, 20) for row in ("e10", "e50", "h2", "h16", "r16", "r50")],
        ("r16-40", 1_281_167, 40),
        ("r50-40", 1_281_167, 40),
    ],
)
def test_the_rows_of_larsson17s_table_4_have_recipes_of_the_papers_epochs(row, images, epochs):
    recipe = load_recipe(f"larsson17-vgg16-{row}")  # PAPERS C6
    assert recipe.steps * recipe.batch_size / images == pytest.approx(epochs, rel=1e-3)
    assert (recipe.objective.name, recipe.input, recipe.data.crop) == ("classification", "mean", 224)
    assert recipe.schedule.milestones[-1] < recipe.steps
    assert recipe.pretrained.startswith("required: ") == (row == "c1000-80")
    assert (recipe.study == "none") == (row in ("c1000", "c1000-80"))
    text = resources.files("tintype.pretrain").joinpath("recipes", f"larsson17-vgg16-{row}.yaml").read_text()
    command = "pack IMAGENET/train" if recipe.study == "none" else f"labels {recipe.study} --data"
    assert f"\n#   tintype {command} " in text
    assert f"\n#   tintype pretrain larsson17-vgg16-{row} --data shards/" in text


def test_a_recipe_takes_from_its_base_what_it_does_not_say_itself(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("base: zhang16-full\nname: mine\noptimizer: {lr: 1}\nobjective: {name: regression}\nsteps: 7\n")
    mine, base = load_recipe(path, ["data.crop=64"]), load_recipe("zhang16-full")
    assert (mine.name, mine.steps, mine.optimizer.lr, mine.data.crop) == ("mine", 7, 1, 64)
    assert (mine.optimizer.name, mine.optimizer.betas) == (base.optimizer.name, base.optimizer.betas)
    assert mine.objective.name == "regression"  # of another name, the block is another
    assert mine.description == base.description
    above = tmp_path / "above.yaml"
    above.write_text(f"base: {path}\nname: above\n")
    assert load_recipe(above).steps == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: zhang16-ful", "did you mean 'zhang16-full'?"),
        ("base: [zhang16-full]", "key 'base' is ['zhang16-full']; it must be the name of a recipe"),
        ("base: SELF", "which is itself based on this recipe"),
        ("base: zhang16-full\noptimizer: {rl: 1}", "unknown key 'optimizer.rl'"),
    ],
)
def test_a_wrong_base_is_named(text, message, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("SELF", str(path)))
    with pytest.raises(RecipeError) as error:
        load_recipe(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_change_single_values_by_dotted_keys():
    recipe = load_recipe("zhang16-full", ["optimizer.lr=1e-3", "steps=10", "data.scale=[0.5, 1]", "data.flip=false"])
    assert (recipe.optimizer.lr, recipe.steps, recipe.data.scale, recipe.data.flip) == (1e-3, 10, (0.5, 1.0), False)
    assert recipe.optimizer.betas == (0.9, 0.99)


def test_setting_another_name_drops_the_blocks_other_values():
    recipe = load_recipe("zhang16-full", ["schedule.name=cosine", "schedule.warmup=7", "objective.name=regression"])
    assert (recipe.schedule.name, recipe.schedule.warmup, recipe.objective.name) == ("cosine", 7, "regression")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["optimiser.lr=1"], "recipe zhang16-full: unknown key 'optimiser.lr'; did you mean 'optimizer.lr'?"),
        (["trunk.x=1"], "unknown key 'trunk.x': 'trunk' has no keys of its own"),
        (["steps"], "setting 'steps' must look like key=value, such as optimizer.lr=1e-3"),
        (["steps=[1"], "setting 'steps=[1': the value is not valid YAML"),
        (["data.scale=[0.9, 0.5]"], "recipe zhang16-full: key 'data.scale' is [0.9, 0.5]; it must be [low, high] with"),
        (["data.scale=[0.5]"], "recipe zhang16-full: key 'data.scale' is [0.5]; it must be [low, high] with"),
        (["optimizer.betas=[0.9, 1]"], "recipe zhang16-full: key 'optimizer.betas' is [0.9, 1.0]; it must be two"),
        (["schedule.milestones=[1, 2]"], "recipe zhang16-full: key 'schedule.milestones' must rise"),
        (["schedule.name=cosine", "schedule.warmup=9", "steps=9"], "recipe zhang16-full: key 'schedule.warmup' is 9"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(RecipeError) as error:
        load_recipe("zhang16-full", settings)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match=r"no recipe named 'zhang16-fulll'; did you mean 'zhang16-full'\?"):
        load_recipe("zhang16-fulll")


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"nowhere.yaml: cannot be read"):
        load_recipe(tmp_path / "nowhere.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1")
    with pytest.raises(RecipeError, match=r"broken.yaml: not valid YAML") as error:
        load_recipe(broken)
    assert "\n" not in str(error.value)
    broken.write_text("- 1")
    with pytest.raises(RecipeError, match="a recipe is a block of keys and values"):
        load_recipe(broken)


def test_a_missing_key_is_named(tmp_path):
    values = yaml.safe_load(load_recipe("zhang16-full").to_yaml())
    for key in ("steps", "batch_size", "seed"):
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in values.items() if k != key}))
        with pytest.raises(RecipeError, match=f"missing key '{key}'"):
            load_recipe(path)


def test_a_run_may_go_on_longer_and_with_other_workers_but_not_differently():
    before = load_recipe("zhang16-full")
    assert different_keys(before, load_recipe("zhang16-full", ["steps=600000", "data.workers=1", "log_every=7"])) == []
    assert different_keys(before, load_recipe("zhang16-full", ["steps=400000"])) == ["steps"]
    assert different_keys(before, load_recipe("zhang16-full", ["optimizer.lr=1", "seed=3"])) == ["seed", "optimizer.lr"]
    assert "objective.k" in different_keys(before, load_recipe("zhang16-l2"))
