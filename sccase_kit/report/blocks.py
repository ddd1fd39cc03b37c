"""What a page is made of, for the pages of other parts."""

from ._figures import draw as draw
from ._page import Block as Block
from ._page import Code as Code
from ._page import Section as Section
from ._page import Table as Table
from ._page import Text as Text
from ._page import Tiles as Tiles
from ._page import page as page
