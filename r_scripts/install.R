#!/usr/bin/env Rscript
# Install what the R engines need, each package from the place that has it; or only check.
#
#   Rscript install.R                     everything that is missing
#   Rscript install.R chromVAR scABC      these and what they need
#   Rscript install.R --check [PACKAGE]   install nothing; exit status 1 if something is missing
#   Rscript install.R --from=DIR          take source packages (folders or .tar.gz) found in DIR first, no network needed
#   Rscript install.R --lib=DIR           install there (default: the first writable library, else the user's own)

# Where each package lives. chromVAR left Bioconductor in release 3.23: newer R gets it from the authors, at the
# commit the native engine was checked against. WeightedCluster 2 needs many more packages than scABC uses: 1.4-1 does.
sources <- list(
  SummarizedExperiment = list(bioc = TRUE, apt = "r-bioc-summarizedexperiment"),
  SingleCellExperiment = list(bioc = TRUE, apt = "r-bioc-singlecellexperiment"),
  BiocParallel = list(bioc = TRUE, apt = "r-bioc-biocparallel"),
  TFBSTools = list(bioc = TRUE, apt = "r-bioc-tfbstools"),
  BSgenome = list(bioc = TRUE, apt = "r-bioc-bsgenome"),
  Rsamtools = list(bioc = TRUE, apt = "r-bioc-rsamtools"),
  Matrix = list(apt = "r-cran-matrix"),
  RcppArmadillo = list(apt = "r-cran-rcpparmadillo"),
  RcppEigen = list(apt = "r-cran-rcppeigen"),
  BH = list(apt = "r-cran-bh"),
  ggplot2 = list(apt = "r-cran-ggplot2"),
  plotly = list(apt = "r-cran-plotly"),
  shiny = list(apt = "r-cran-shiny"),
  miniUI = list(apt = "r-cran-miniui"),
  DT = list(apt = "r-cran-dt"),
  Rtsne = list(apt = "r-cran-rtsne"),
  vegan = list(apt = "r-cran-vegan"),
  boot = list(apt = "r-cran-boot"),
  cluster = list(apt = "r-cran-cluster"),
  colorspace = list(apt = "r-cran-colorspace"),
  RColorBrewer = list(apt = "r-cran-rcolorbrewer"),
  nabor = list(needs = c("RcppEigen", "BH"), version = "0.5.0"),
  TraMineR = list(needs = c("vegan", "boot", "cluster", "colorspace", "RColorBrewer")),
  WeightedCluster = list(needs = "TraMineR", version = "1.4-1"),
  motifmatchr = list(bioc = TRUE, needs = c("TFBSTools", "BSgenome", "Rsamtools", "RcppArmadillo", "SummarizedExperiment"),
                     github = "GreenleafLab/motifmatchr@d0dc70e5b25d4d80b5bd96de8820a82de174baa5"),
  chromVAR = list(bioc = TRUE,
                  needs = c("nabor", "BiocParallel", "TFBSTools", "BSgenome", "Rsamtools", "RcppArmadillo", "ggplot2",
                            "plotly", "shiny", "miniUI", "DT", "Rtsne", "RColorBrewer", "SummarizedExperiment"),
                  github = "GreenleafLab/chromVAR@0f27fcc8463d537d770f164a55f949701beb6add"),
  scABC = list(needs = c("WeightedCluster", "Rsamtools", "Matrix"),
               github = "SUwonglab/scABC@caf941a610671b4ab28ce43cb2f4a68c843cf4f9")
)
wanted_by_default <- c("Matrix", "SummarizedExperiment", "SingleCellExperiment", "motifmatchr", "chromVAR", "scABC")

is_installed <- function(package) nzchar(system.file(package = package))
version_of <- function(package) as.character(utils::packageVersion(package))

# Packages and what they need, each after its own needs.
with_needs <- function(packages) {
  unique(unlist(lapply(packages, function(package) c(with_needs(sources[[package]]$needs), package))))
}

# TRUE when Debian or Ubuntu can bring the package as a binary: said, not done, because that needs root.
on_debian <- function() file.exists("/etc/debian_version")

where_from <- function(package) {
  entry <- sources[[package]]
  places <- c(
    if (on_debian() && !is.null(entry$apt)) paste("apt-get install", entry$apt),
    if (isTRUE(entry$bioc)) "Bioconductor, if the release for this R has it",
    if (!is.null(entry$version)) paste("CRAN, version", entry$version),
    if (is.null(entry$bioc) && is.null(entry$version) && is.null(entry$github)) "CRAN",
    if (!is.null(entry$github)) paste0("https://github.com/", entry$github)
  )
  paste(places, collapse = "; or ")
}

library_path <- function(chosen) {
  if (nzchar(chosen)) {
    dir.create(chosen, showWarnings = FALSE, recursive = TRUE)
    return(normalizePath(chosen))
  }
  writable <- .libPaths()[file.access(.libPaths(), 2) == 0]
  if (length(writable)) return(writable[[1L]])
  own <- Sys.getenv("R_LIBS_USER")
  dir.create(own, showWarnings = FALSE, recursive = TRUE)
  own
}

helper_package <- function(package, lib) {
  if (!is_installed(package)) utils::install.packages(package, lib = lib)
}

local_source <- function(package, folder) {
  if (!nzchar(folder)) return(character())
  candidates <- c(file.path(folder, package), Sys.glob(file.path(folder, paste0(package, "_*.tar.gz"))))
  candidates[file.exists(candidates)]
}

# Try each place in turn; return a sentence saying which one worked, or NULL.
install_one <- function(package, lib, from) {
  entry <- sources[[package]]
  attempts <- list()
  local <- local_source(package, from)
  if (length(local)) {
    attempts[[paste("from", local[[1L]])]] <- function() {
      utils::install.packages(local[[1L]], lib = lib, repos = NULL, type = "source", INSTALL_opts = "--no-docs")
    }
  }
  if (isTRUE(entry$bioc)) {
    attempts[["from Bioconductor"]] <- function() {
      helper_package("BiocManager", lib)
      if (package %in% BiocManager::available(paste0("^", package, "$"))) {
        BiocManager::install(package, lib = lib, update = FALSE, ask = FALSE)
      } else {
        message(package, " is not in Bioconductor ", BiocManager::version())
      }
    }
  }
  if (!is.null(entry$version)) {
    attempts[[paste("from CRAN, version", entry$version)]] <- function() {
      helper_package("remotes", lib)
      remotes::install_version(package, entry$version, lib = lib, upgrade = "never", dependencies = NA)
    }
  } else if (is.null(entry$bioc) && is.null(entry$github)) {
    attempts[["from CRAN"]] <- function() utils::install.packages(package, lib = lib)
  }
  if (!is.null(entry$github)) {
    attempts[[paste("from github.com", entry$github)]] <- function() {
      helper_package("remotes", lib)
      remotes::install_github(entry$github, lib = lib, upgrade = "never", dependencies = NA)
    }
  }
  for (name in names(attempts)) {
    message("installing ", package, " ", name)
    tryCatch(attempts[[name]](), error = function(condition) message("  failed: ", conditionMessage(condition)))
    if (is_installed(package)) return(paste("installed", name))
  }
  NULL
}

main <- function(arguments) {
  flag <- function(name) sub(paste0("^--", name, "="), "", grep(paste0("^--", name, "="), arguments, value = TRUE))
  if (any(arguments %in% c("-h", "--help"))) {
    cat("Rscript install.R [--check] [--from=DIR] [--lib=DIR] [PACKAGE ...]\npackages:", names(sources), fill = 100)
    return(0L)
  }
  unknown <- setdiff(grep("^--", arguments, value = TRUE), "--check")
  unknown <- unknown[!grepl("^--(from|lib)=", unknown)]
  packages <- arguments[!grepl("^--", arguments)]
  unknown <- c(unknown, setdiff(packages, names(sources)))
  if (length(unknown)) stop("unknown: ", paste(unknown, collapse = ", "), "; see --help", call. = FALSE)
  check <- "--check" %in% arguments
  from <- c(flag("from"), "")[[1L]]
  packages <- with_needs(if (length(packages)) packages else wanted_by_default)
  cat(R.version.string, "\n", sep = "")
  if (!check) {
    lib <- library_path(c(flag("lib"), "")[[1L]])
    .libPaths(c(lib, .libPaths()))
    cat("library ", lib, "\n", sep = "")
    if (identical(unname(getOption("repos")["CRAN"]), "@CRAN@")) options(repos = c(CRAN = "https://cloud.r-project.org"))
  }
  missing <- 0L
  for (package in packages) {
    done <- if (is_installed(package)) "present" else if (!check) install_one(package, lib, from)
    if (is.null(done)) {
      missing <- missing + 1L
      cat(sprintf("%-22s %-10s %s\n", package, "MISSING", where_from(package)))
    } else {
      cat(sprintf("%-22s %-10s %s\n", package, version_of(package), done))
    }
  }
  if (missing) 1L else 0L
}

if (sys.nframe() == 0L) quit(save = "no", status = main(commandArgs(trailingOnly = TRUE)))
