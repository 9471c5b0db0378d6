"""What tests of `tintype evaluate` have in common."""

FIGURES = {
    "auc",
    "auc_rebalanced",
    "auc_rebalanced_per_image",
    "rmse_ab",
    "neutral_chroma",
    "psnr",
    "ssim",
    "colourfulness",
    "colourfulness_difference_per_image",
    "colourfulness_difference_of_means",
}
NO_NETWORKS = ("--classifier", "none", "--lpips", "none", "--inception", "none")
