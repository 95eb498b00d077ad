"""Packaging of pylightningd.

The source folders (common/, channeld/, ...) are linked into pylightningd/, so every module is installed, and
imported, as pylightningd.<package>.<module>; nothing bare such as `tests` or `tools` reaches site-packages.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'^OWN_VERSION = "(.+)"$', (HERE / "common/version.py").read_text(), re.M)[1]

setup(
    name="pylightningd",
    version=VERSION,
    description="A Bitcoin Lightning node in Python with Core Lightning's architecture and commands",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The pylightningd developers",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    package_dir={"": "."},
    packages=find_packages(include=["pylightningd", "pylightningd.*"]),
    package_data={"pylightningd.lightningd.rpc": ["schemas/*.json"]},
    zip_safe=False,
    install_requires=[
        "coincurve>=20",
        "cryptography>=42",
        "google-crc32c>=1.5",
        "orjson>=3.9",
        "peewee>=3.17",
        "python-bitcoinrpc>=1.0",
        "python-socks[asyncio]>=2.4",
        "pyzmq>=25",
        "sdnotify>=0.3.2",
        "structlog>=23.1",
        "uvloop>=0.19",
        "wallycore>=1.3",
    ],
    extras_require={
        "postgres": ["psycopg2-binary>=2.9"],
        "dev": [
            "hypothesis>=6.100",
            "jsonschema>=4.20",
            "mypy>=1.10",
            "pyln-client>=24",
            "pytest>=8",
            "pytest-timeout>=2.2",
            "pytest-xdist>=3.5",
            "ruff>=0.5",
        ],
    },
    entry_points={
        "console_scripts": [
            "lightningd = pylightningd.lightningd.__main__:main",
            "lightning-cli = pylightningd.cli.main:main",
        ]
    },
    classifiers=[
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
